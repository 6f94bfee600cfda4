import tracemalloc

import numpy as np
import pytest

from mtl_dm.labels import (
    SUM_TOLERANCE,
    check_absence,
    check_class_ids,
    check_class_rows,
    check_labels,
)
from mtl_dm.tasks import Task

KIND = Task.multiclass("kind", ["a", "b", "c"])
PARTS = Task.multilabel("parts", ["x", "y"])
SIZE = Task.regression("size", ["height"])
NAN = float("nan")


@pytest.mark.parametrize("junk", [NAN, np.inf, -np.inf, -1.0, 7.0])
@pytest.mark.parametrize("task", [KIND, PARTS, SIZE], ids=lambda task: task.kind)
def test_what_is_not_annotated_may_be_anything(task, junk):
    labels = np.full((4, task.size), junk)
    check_labels(task, labels, np.zeros((4, *task.mask_shape), bool))


def test_ids_that_are_not_annotated_may_be_anything():
    check_labels(KIND, np.array([-1, 9, 2]), np.array([False, False, True]))


@pytest.mark.parametrize("value", [-2.0, -5.0, 1.01, NAN])
def test_values_lie_within_the_bounds_of_their_task(value):
    task = SIZE.replace(bounds=(-1.0, 1.0))
    labels, annotated = np.array([[1.0], [-1.0], [value]]), np.ones((3, 1), bool)
    with pytest.raises(ValueError, match=r"must lie in \[-1, 1\] where annotated, got .* in row 2"):
        check_labels(task, labels, annotated)
    annotated[2] = False
    check_labels(task, labels, annotated)


@pytest.mark.parametrize("error", [-1, 1])
def test_the_tolerance_of_a_row(error):
    rows = np.full((1, 3), (1 + 0.99 * error * SUM_TOLERANCE) / 3)
    check_class_rows("Labels", rows, np.ones(1, bool))
    with pytest.raises(ValueError, match="Labels must be distributions"):
        check_class_rows("Labels", rows + 0.02 * error * SUM_TOLERANCE, np.ones(1, bool))


def test_rows_are_numbered_from_the_first_one():
    with pytest.raises(ValueError, match=r"got 2\.0 in row 11 \(2 such value\(s\)\)"):
        check_labels(PARTS, np.array([[0, 1], [1, 2.0], [2, 0]]), np.ones((3, 2), bool), 10)


def test_a_long_row_is_shown_by_its_ends():
    with pytest.raises(ValueError, match="must be distributions") as caught:
        check_class_rows("Labels", np.zeros((1, 10_000)), np.ones(1, bool))
    assert len(str(caught.value)) < 300


def test_ids_without_a_mask():
    check_class_ids("ids", np.array([-1, 0, 2]), 3)
    for ids, message in (([0, 3], "got 3 in row 1"), ([-2, 0], "got -2 in row 0")):
        with pytest.raises(ValueError, match=rf"ids must lie in \[-1, 2\], {message}"):
            check_class_ids("ids", np.array(ids), 3)


@pytest.mark.parametrize(
    "values",
    [
        [[1, -1], [-1, 1]],
        [[1], [-1]],
        [[1, NAN, -1], [-1, NAN, -1], [1, NAN, 1]],
    ],
)
def test_minus_1_for_absent(values):
    with pytest.raises(ValueError, match="attributes hold 1 and -1 and never 0"):
        check_absence("attributes", np.array(values))


@pytest.mark.parametrize(
    "values",
    [
        [[1, -1], [-1, 0]],
        [[1, -1], [0.5, 1]],
        [[1, -1], [1, -1]],
        [[1, 1], [-1, -1]],
        [[1, NAN], [NAN, 1]],
        [[-1, -1], [-1, -1]],
        np.ones((3, 2), bool),
        np.zeros((0, 2)),
    ],
)
def test_minus_1_for_missing(values):
    check_absence("attributes", np.asarray(values))


def test_memory_does_not_grow_with_the_rows():
    values = np.where(np.arange(2_000_000).reshape(-1, 4) % 3 == 0, 1, -1).astype(np.int8)
    tracemalloc.start()
    with pytest.raises(ValueError, match="never 0"):
        check_absence("attributes", values)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < values.nbytes
