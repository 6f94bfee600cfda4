import numpy as np
import pytest

from mtl_dm.data.summary import class_ids, summarize
from mtl_dm.tasks import Task

KIND = Task.multiclass("kind", ["a", "b", "c"])
PARTS = Task.multilabel("parts", ["x", "y", "z"])
SIZE = Task.regression("size", ["height"])


def arrays(labels, masks):
    return np.float32(labels), np.float32(masks)


ONE = {"kind": arrays(np.eye(3)[[0, 0, 1, 0]] * [[1], [1], [1], [0]], [1, 1, 1, 0])}
TWO = {
    "kind": arrays(np.eye(3)[[1]], [1]),
    "parts": arrays([[1, 0, 0], [1, 0, 0], [0, 0, 0]], [[1, 1, 0], [1, 0, 0], [0, 0, 0]]),
    "size": arrays([[2.0], [4.0], [0.0]], [[1], [1], [0]]),
}


def test_counts_and_rates_over_all_sources():
    summary = summarize([ONE, TWO], [KIND, PARTS, SIZE])
    # kind: a, a, b of the first source and b of the second.
    assert summary.annotated == {"kind": 4, "parts": 2, "size": 2}
    assert summary.base_rates["kind"] == {"a": 0.5, "b": 0.5, "c": 0.0}
    # x is annotated twice and active twice, y annotated once and not active, z never.
    assert summary.base_rates["parts"] == pytest.approx(
        {"x": 1.0, "y": 0.0, "z": float("nan")}, nan_ok=True
    )
    assert summary.base_rates["size"] == {"height": 3.0}


def test_an_image_with_any_attribute_counts_as_annotated():
    labels, masks = np.zeros((5, 3)), np.diag([1, 1, 1, 0, 0])[:, :3]
    assert summarize([{"parts": arrays(labels, masks)}], [PARTS]).annotated == {"parts": 3}


def test_soft_labels_count_in_parts():
    soft = arrays([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]], [1, 1])
    rates = summarize([{"kind": soft}], [KIND]).base_rates["kind"]
    assert rates == {"a": 0.25, "b": 0.5, "c": 0.25}


def test_class_ids_count_as_one_hot_labels():
    ids = {"kind": (np.array([0, 0, 1, -1]), np.float32([1, 1, 1, 0]))}
    assert summarize([ids], [KIND]) == summarize([ONE], [KIND])
    assert summarize([ids, TWO], [KIND]) == summarize([ONE, TWO], [KIND])


def test_class_ids():
    for labels in (np.array([2, 0, 1]), np.array([[0, 0.4, 0.6], [1, 0, 0], [1, 0, 0]])):
        assert class_ids(labels, np.array([1, 0.5, 0])).tolist() == [2, 0, -1]


def test_tasks_that_are_not_asked_for_are_left_out():
    assert set(summarize([ONE, TWO], [SIZE]).annotated) == {"size"}


def test_lines():
    lines = summarize([ONE, TWO], [KIND, SIZE]).lines()
    assert lines == [
        "kind: 4 annotated images; a 0.50, b 0.50, c 0.00",
        "size: 2 annotated images; height 3.00",
        "Warning: kind: no training image is of the class(es) c.",
    ]


def test_warnings_name_what_no_image_shows():
    assert summarize([ONE, TWO], [KIND, PARTS, SIZE]).warnings() == [
        "kind: no training image is of the class(es) c.",
        "parts: no training image has y.",
        "parts: no training image is without x.",
        "parts: no training image is annotated for z.",
    ]


def test_no_warning_where_everything_occurs():
    every = {
        "kind": (np.arange(3), np.ones(3)),
        "parts": arrays([[0, 1, 0], [1, 0, 0.5]], np.ones((2, 3))),
    }
    summary = summarize([every], [KIND, PARTS])
    assert summary.warnings() == []
    assert len(summary.lines()) == 2


def test_a_warning_lists_a_dozen_names():
    many = Task.multiclass("identity", [f"p{number}" for number in range(30)])
    (warning,) = summarize([{"identity": (np.array([0, 1]), np.ones(2))}], [many]).warnings()
    assert warning.endswith("p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13 and 16 more.")


@pytest.mark.parametrize(
    ("name", "labels", "mask", "message"),
    [
        (
            "kind",
            np.zeros((2, 3)),
            [0, 1],
            r"distributions .* got \[0\. 0\. 0\.\] in row 1 \(1 such",
        ),
        ("kind", np.eye(3)[:2] * [[1], [np.nan]], [1, 1], "distributions .* in row 1"),
        ("kind", np.array([2, -1]), [1, 1], r"lie in \[0, 2\] where annotated, got -1 in row 1"),
        ("kind", np.array([0, 3]), [1, 1], r"lie in \[0, 2\] where annotated, got 3 in row 1"),
        ("parts", np.full((1, 3), -1), np.ones((1, 3)), r"lie in \[0, 1\] where annotated, got -1"),
        ("size", np.array([[1.0], [np.nan]]), np.ones((2, 1)), "be finite .* got nan in row 1"),
    ],
)
def test_labels_under_mask_1_that_are_none(name, labels, mask, message):
    with pytest.raises(ValueError, match=f"Labels of '{name}' must .*{message}"):
        summarize([ONE, TWO, {name: (labels, np.float32(mask))}], [KIND, PARTS, SIZE])


@pytest.mark.parametrize("labels", [np.array([1, -1]), np.array([[0, 1.0], [0, 0]])])
def test_class_ids_of_rows_without_a_class(labels):
    assert class_ids(labels, np.array([1, 0])).tolist() == [1, -1]
    with pytest.raises(ValueError, match=r"Labels of 'pet' must be .* in row 1"):
        class_ids(labels, np.array([1, 1]), "pet")


@pytest.mark.parametrize(
    "sources",
    [
        [],
        [ONE],
        [{"parts": arrays(np.zeros((2, 3)), np.zeros((2, 3)))}],
        [{"parts": arrays(np.zeros((0, 3)), np.zeros((0, 3)))}],
    ],
    ids=["no source", "no source has it", "all masked", "no image"],
)
def test_a_task_without_an_annotated_image(sources):
    with pytest.raises(ValueError, match="No training image is annotated for the task 'parts'"):
        summarize(sources, [PARTS])


def test_a_misspelt_source_is_named():
    with pytest.raises(ValueError, match=r"task 'parts'; the sources have labels for \['partz'\]"):
        summarize([{"partz": TWO["parts"]}], [PARTS])


def test_a_single_class():
    lonely = {"kind": arrays(np.eye(3)[[2, 2, 0]], [1, 1, 0])}
    lonely["kind"][0][2] = 0
    with pytest.raises(ValueError, match=r"'kind' needs at least two classes.*got only \['c'\]"):
        summarize([lonely], [KIND])


def test_no_task():
    with pytest.raises(ValueError, match="At least one task"):
        summarize([ONE], [])
