import numpy as np
import pytest

from mtl_dm import data
from mtl_dm.tasks import Task

KIND = Task.multiclass("kind", ("a", "b"))
MARKS = Task.multilabel("marks", ("m", "n"))


def source(first, labels, tasks):
    count = len(next(iter(labels.values())))
    inputs = np.arange(first, first + count, dtype=np.float32)[:, None]
    return data.from_arrays(inputs, labels, tasks)


def test_every_element_once_and_what_a_source_lacks_is_missing():
    joined = data.joined(
        [
            source(0, {"kind": np.array([1, 0])}, [KIND]),
            source(2, {"marks": np.array([[1, 0], [0, -1], [1, 1]])}, [MARKS]),
        ]
    )
    assert int(joined.cardinality()) == 5
    elements = list(joined.as_numpy_iterator())
    assert [float(inputs[0]) for inputs, _, _ in elements] == [0, 1, 2, 3, 4]
    assert [float(masks["kind"]) for _, _, masks in elements] == [1, 1, 0, 0, 0]
    np.testing.assert_array_equal(
        [masks["marks"] for _, _, masks in elements], [[0, 0], [0, 0], [1, 1], [1, 0], [1, 1]]
    )
    np.testing.assert_array_equal(elements[2][1]["marks"], [1, 0])


def test_one_source_is_itself():
    only = source(0, {"kind": np.array([1])}, [KIND])
    assert data.joined([only]) is only


def test_refuses():
    with pytest.raises(ValueError, match="at least one source"):
        data.joined([])
    other = data.from_arrays(np.zeros((1, 2), np.float32), {"kind": np.array([0])}, [KIND])
    with pytest.raises(ValueError, match="input of source 1"):
        data.joined([source(0, {"kind": np.array([1])}, [KIND]), other])
