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
    ]


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


def test_a_single_class():
    lonely = {"kind": arrays(np.eye(3)[[2, 2, 0]], [1, 1, 0])}
    lonely["kind"][0][2] = 0
    with pytest.raises(ValueError, match=r"'kind' needs at least two classes.*got only \['c'\]"):
        summarize([lonely], [KIND])


def test_no_task():
    with pytest.raises(ValueError, match="At least one task"):
        summarize([ONE], [])
