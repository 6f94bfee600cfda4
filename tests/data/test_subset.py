"""Labels of a data set that knows some of a task's labels."""

import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.data.subset import fits, widened, widest
from mtl_dm.tasks import Task

SIX = Task.multiclass("kind", ("b", "c"))
SEVEN = Task.multiclass("kind", ("a", "b", "c"))
CASES = [
    (SIX, SEVEN, np.array([0, 1, -1]), [1, 2, -1]),
    (Task.multiclass("kind", ("c", "a")), SEVEN, np.array([0, 1, -1]), [2, 0, -1]),
    (
        Task.multilabel("units", ("z", "x")),
        Task.multilabel("units", ("x", "y", "z")),
        np.array([[1, 0], [-1, 1]], np.int8),
        [[0, -1, 1], [1, -1, -1]],
    ),
    (
        Task.regression("affect", ("arousal",)),
        Task.regression("affect", ("valence", "arousal")),
        np.array([[0.5], [np.nan]], np.float32),
        [[np.nan, 0.5], [np.nan, np.nan]],
    ),
    (SEVEN, SEVEN, np.array([0, 2, -1]), [0, 2, -1]),
]


@pytest.mark.parametrize(("own", "task", "values", "want"), CASES)
def test_labels_find_their_places_and_what_is_not_known_is_missing(own, task, values, want):
    assert fits(own, task)
    got = widened(own, task, values)
    np.testing.assert_array_equal(got, want)
    assert got.dtype == values.dtype
    for row, value in enumerate(values):  # one example of a stream at a time
        tensor = widened(own, task, tf.convert_to_tensor(value))
        np.testing.assert_array_equal(tensor, want[row])
        assert tensor.dtype == value.dtype


def test_a_part_fits_the_whole_and_not_the_other_way():
    assert not fits(SEVEN, SIX)
    assert not fits(Task.multiclass("kind", ("b", "c")), Task.multilabel("kind", ("a", "b", "c")))
    # The same labels in another order: whose order would hold?
    assert not fits(Task.multiclass("kind", ("c", "a", "b")), SEVEN)


def test_the_widest_has_the_labels_of_all():
    other = Task.multiclass("kind", ("a", "b"))
    assert widest([SIX, SEVEN, SIX]) is SEVEN
    assert widest([SIX, other]) is None
    assert widest([SIX, other, SEVEN]) is SEVEN
    assert widest([SEVEN, Task.multiclass("kind", ("c", "a", "b"))]) is None
