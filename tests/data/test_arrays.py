import numpy as np
import pandas as pd
import pytest

from mtl_dm.data.arrays import encode, from_arrays
from mtl_dm.data.merging import merge
from mtl_dm.tasks import Task

KIND = Task.multiclass("kind", ["a", "b", "c"])
PARTS = Task.multilabel("parts", ["x", "y"])
SIZE = Task.regression("size", ["height", "width"])
TASKS = (KIND, PARTS, SIZE)
X = np.arange(8, dtype=np.float32).reshape(4, 2)
NAN = float("nan")


def read(labels, inputs=X):
    """Inputs, labels and masks of the whole source."""
    inputs, labels, masks = next(iter(from_arrays(inputs, labels, TASKS).batch(99)))
    return inputs, *(
        {name: each.numpy() for name, each in part.items()} for part in (labels, masks)
    )


def test_class_ids_become_one_hot_and_minus_1_is_missing():
    _, labels, masks = read({"kind": np.array([2, -1, 0, 1])})
    np.testing.assert_array_equal(labels["kind"], [[0, 0, 1], [0, 0, 0], [1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(masks["kind"], [1, 0, 1, 1])


def test_soft_labels_are_kept_and_a_row_with_nan_is_missing():
    soft = [[0.2, 0.3, 0.5], [NAN, 0.5, 0.5], [0, 1, 0], [NAN, NAN, NAN]]
    _, labels, masks = read({"kind": soft})
    want = np.float32([[0.2, 0.3, 0.5], [0, 0, 0], [0, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(labels["kind"], want)
    np.testing.assert_array_equal(masks["kind"], [1, 0, 1, 0])


@pytest.mark.parametrize("missing", [-1, NAN])
def test_multilabel_entries_are_missing_one_by_one(missing):
    _, labels, masks = read({"parts": [[1, 0], [missing, 1], [missing, missing], [0.5, missing]]})
    np.testing.assert_array_equal(labels["parts"], np.float32([[1, 0], [0, 1], [0, 0], [0.5, 0]]))
    np.testing.assert_array_equal(masks["parts"], [[1, 1], [0, 1], [0, 0], [1, 0]])


def test_int8_as_a_built_data_set_stores_it():
    _, labels, masks = read({"parts": np.array([[1, -1]] * 4, dtype=np.int8)})
    np.testing.assert_array_equal(labels["parts"], [[1, 0]] * 4)
    np.testing.assert_array_equal(masks["parts"], [[1, 0]] * 4)


def test_a_mark_for_missing_that_is_no_nan_is_refused_by_bounds():
    affect = Task.regression("affect", ["valence", "arousal"], bounds=(-1, 1))
    values = [[0.5, -1.0], [-2.0, -2.0]]
    with pytest.raises(ValueError, match=r"'affect' must lie in \[-1, 1\].* -2 and -5 .* are NaN"):
        encode(affect, np.array(values), 2)
    labels, mask = encode(affect, np.where(np.array(values) == -2, np.nan, values), 2)
    np.testing.assert_array_equal(labels, [[0.5, -1.0], [0, 0]])
    np.testing.assert_array_equal(mask, [[1, 1], [0, 0]])


def test_regression_misses_nan_only():
    _, labels, masks = read({"size": [[-1, 2.5], [NAN, -7], [NAN, NAN], [0, 0]]})
    np.testing.assert_array_equal(labels["size"], np.float32([[-1, 2.5], [0, -7], [0, 0], [0, 0]]))
    np.testing.assert_array_equal(masks["size"], [[1, 1], [0, 1], [0, 0], [1, 1]])


def test_shapes_and_types_of_the_contract():
    source = from_arrays(
        X, {"kind": [0] * 4, "parts": np.zeros((4, 2)), "size": np.zeros((4, 2))}, TASKS
    )
    inputs, labels, masks = source.element_spec
    assert inputs.shape == (2,)
    assert {name: each.shape for name, each in labels.items()} == {
        "kind": (3,), "parts": (2,), "size": (2,),
    }  # fmt: skip
    assert {name: each.shape for name, each in masks.items()} == {
        "kind": (), "parts": (2,), "size": (2,),
    }  # fmt: skip
    assert {each.dtype.name for each in (*labels.values(), *masks.values())} == {"float32"}
    assert int(source.cardinality()) == 4


def test_inputs_are_kept_in_order_and_may_be_a_dictionary():
    inputs, _, _ = read({"kind": [0, 1, 2, 0]})
    np.testing.assert_array_equal(inputs, X)
    inputs, _, _ = read({"kind": [0, 1, 2, 0]}, {"face": X, "voice": X[:, 0]})
    np.testing.assert_array_equal(inputs["face"], X)
    np.testing.assert_array_equal(inputs["voice"], X[:, 0])


def test_a_source_without_labels_merges():
    sources = [from_arrays(X, {"kind": [0, 1, 2, 0]}, TASKS), from_arrays(X[:2], {}, TASKS)]
    masks = np.concatenate([masks["kind"] for _, _, masks in merge(sources, 3)])
    # 4 elements in 2 of 3 places: two batches.
    assert masks.sum() == 4
    assert len(masks) > 4


@pytest.mark.parametrize(
    ("inputs", "labels", "message"),
    [
        (
            X,
            {"colour": [0] * 4},
            r"unknown tasks \['colour'\]\. Known: \['kind', 'parts', 'size'\]",
        ),
        (X, {"kind": [0] * 3}, r"'kind' must have shape \(4,\), got \(3,\)"),
        (X, {"kind": [0.0, 1.0, 2.0, 0.0]}, "'kind' must be integers, got float64; missing is -1"),
        (X, {"kind": [0, 1, 3, 0]}, r"'kind' must lie in \[-1, 2\], got 3 in row 2"),
        (X, {"kind": [0, -2, 1, 0]}, r"'kind' must lie in \[-1, 2\], got -2 in row 1"),
        (X, {"kind": np.zeros((4, 2))}, r"'kind' must have shape \(4, 3\)"),
        (X, {"kind": np.full((4, 3), 1.5)}, "'kind' must be distributions"),
        (X, {"kind": np.ones((4, 3))}, r"sum to 1 .*, got \[1\. 1\. 1\.\] in row 0 \(4 such row"),
        (X, {"kind": [[1, 0, 0], [2, -1, 0]] * 2}, r"got \[ 2\. -1\.  0\.\] in row 1"),
        (X, {"parts": [[1, -1], [-1, 1], [1, 1], [-1, -1]]}, "'parts' hold 1 and -1 and never 0"),
        (X, {"parts": [[1, -1], [-1, 1], [1, NAN], [-1, 1]]}, "Write 0 for absent"),
        (X, {"parts": np.zeros((4, 3))}, r"'parts' must have shape \(4, 2\)"),
        (X, {"parts": np.zeros(4)}, r"'parts' must have shape \(4, 2\)"),
        (X, {"parts": [[0, 1], [0, 2], [0, 0], [0, 0]]}, r"'parts' must lie in \[0, 1\].*row 1"),
        (X, {"parts": np.full((4, 2), -0.5)}, r"'parts' must lie in \[0, 1\]"),
        (X, {"parts": np.full((4, 2), np.inf)}, r"'parts' must lie in \[0, 1\]"),
        (X, {"size": np.zeros((4, 1))}, r"'size' must have shape \(4, 2\)"),
        (X, {"size": np.full((4, 2), np.inf)}, "'size'"),
        (X[:0], {"kind": np.zeros(0, int)}, "not empty"),
        ({"a": X, "b": X[:3]}, {"kind": [0] * 4}, "equally long"),
        ({}, {"kind": [0] * 4}, "inputs must be"),
        (np.where(X == 5, NAN, X), {"kind": [0] * 4}, "inputs 'inputs' hold NaN, first in row 2"),
        ({"face": X, "voice": X * NAN}, {"kind": [0] * 4}, "'voice' hold NaN, first in row 0"),
    ],
)
def test_bad_input(inputs, labels, message):
    with pytest.raises(ValueError, match=message):
        from_arrays(inputs, labels, TASKS)


def test_dummies_of_labels_with_gaps_are_refused():
    pets = pd.Series(["a", None, "c", "b"])
    with pytest.raises(
        ValueError, match=r"'kind' must be .* got \[0\. 0\. 0\.\] in row 1 \(1 such"
    ):
        from_arrays(X, {"kind": pd.get_dummies(pets)}, TASKS)
    marked = pd.get_dummies(pets, dtype=float)
    marked[pets.isna()] = NAN
    _, labels, masks = read({"kind": marked})
    assert masks["kind"].tolist() == [1, 0, 1, 1]
    assert labels["kind"].argmax(axis=1).tolist() == [0, 0, 2, 1]


def test_rows_may_sum_to_1_as_two_digits_or_half_precision_leave_it():
    thirds = np.full((4, 3), 0.33)
    soft = np.random.default_rng(0).dirichlet(np.ones(3), 4).astype(np.float16)
    for rows in (thirds, soft):
        np.testing.assert_array_equal(read({"kind": rows})[1]["kind"], np.float32(rows))


def test_positives_alone_are_taken_where_nan_says_missing():
    _, labels, masks = read({"parts": [[1, NAN], [NAN, 1], [1, 1], [NAN, NAN]]})
    np.testing.assert_array_equal(labels["parts"], masks["parts"])
    # Images without any label beside images that have every attribute.
    _, _, masks = read({"parts": [[1, 1], [-1, -1], [1, 1], [-1, -1]]})
    np.testing.assert_array_equal(masks["parts"], [[1, 1], [0, 0]] * 2)


def test_repeated_tasks():
    with pytest.raises(ValueError, match="unique, repeated"):
        from_arrays(X, {"kind": [0] * 4}, [KIND, KIND])
