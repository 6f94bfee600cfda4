import numpy as np
import pytest
from scipy.special import expit, softmax

from mtl_dm.metrics.temperature import (
    TEMPERATURES,
    best_temperature,
    negative_log_likelihood,
    probabilities,
)
from mtl_dm.tasks import Task

CLASSES = Task.multiclass("pose", ["left", "front", "right"])
ATTRIBUTES = Task.multilabel("signs", ["hat", "beard"])
VALUES = Task.regression("age", ["years"])


def drawn(task, scale, rows=4000):
    """Logits, and labels drawn from exactly the probabilities that logits / scale state."""
    random = np.random.default_rng(0)
    true = random.normal(size=(rows, task.size))
    if task.kind == "multiclass":
        ids = (softmax(true, axis=1).cumsum(axis=1) > random.random((rows, 1))).argmax(axis=1)
        return np.eye(task.size)[ids], true * scale, np.ones(rows)
    labels = (random.random(true.shape) < expit(true)).astype(float)
    return labels, true * scale, np.ones_like(labels)


def test_a_bounded_regression_is_clipped_and_another_is_not():
    scores = [[-3.0], [0.25], [1.57], [np.nan]]
    found = probabilities(VALUES.replace(bounds=(-1, 1)), scores)
    np.testing.assert_array_equal(found, [[-1.0], [0.25], [1.0], [np.nan]])
    np.testing.assert_array_equal(probabilities(VALUES, scores), scores)


@pytest.mark.parametrize("task", [CLASSES, ATTRIBUTES], ids=lambda task: task.kind)
@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_the_scale_that_logits_were_multiplied_with(task, scale):
    assert best_temperature(task, *drawn(task, scale)) == pytest.approx(scale, rel=0.1)


@pytest.mark.parametrize("task", [CLASSES, ATTRIBUTES], ids=lambda task: task.kind)
def test_scaling_the_logits_scales_the_temperature(task):
    # The NLL depends on z / T only, so that the minimum moves exactly with z.
    labels, logits, mask = drawn(task, 1.0, rows=300)
    one = best_temperature(task, labels, logits, mask)
    assert best_temperature(task, labels, 3 * logits, mask) == pytest.approx(3 * one, rel=1e-4)


@pytest.mark.parametrize("task", [CLASSES, ATTRIBUTES], ids=lambda task: task.kind)
def test_no_temperature_of_a_fine_grid_is_better(task):
    labels, logits, mask = drawn(task, 2.0, rows=200)
    found = best_temperature(task, labels, logits, mask)
    grid = np.geomspace(*TEMPERATURES, 4001)
    losses = [negative_log_likelihood(task, labels, logits, mask, t) for t in grid]
    assert negative_log_likelihood(task, labels, logits, mask, found) <= min(losses) + 1e-12
    assert found == pytest.approx(grid[np.argmin(losses)], rel=0.002)


def test_by_hand():
    # Three of four are right, with a margin of log 9: p = 9^(1/T) / (1 + 9^(1/T)) is best at the
    # share that is right, 3/4, where 9^(1/T) = 3, so T = 2.
    task = Task.multiclass("two", ["a", "b"])
    logits = np.tile([np.log(9.0), 0.0], (4, 1))
    labels = np.array([[1, 0], [1, 0], [1, 0], [0, 1]])
    assert best_temperature(task, labels, logits, np.ones(4)) == pytest.approx(2.0, rel=1e-4)
    expected = -(3 * np.log(0.9) + np.log(0.1)) / 4
    found = negative_log_likelihood(task, labels, logits, np.ones(4))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("task", [CLASSES, ATTRIBUTES], ids=lambda task: task.kind)
def test_what_is_not_annotated_has_no_part(task):
    labels, logits, mask = drawn(task, 2.0, rows=100)
    alone = best_temperature(task, labels, logits, mask)
    other = np.full_like(logits, np.nan)
    together = best_temperature(
        task,
        np.concatenate([labels, other]),
        np.concatenate([logits, other]),
        np.concatenate([mask, np.zeros_like(mask)]),
    )
    assert together == alone


def test_ends_of_the_range():
    logits = np.array([[5.0, 0.0, 0.0], [0.0, 5.0, 0.0]])
    right, wrong = np.eye(3)[[0, 1]], np.eye(3)[[1, 0]]
    low, high = TEMPERATURES
    assert best_temperature(CLASSES, right, logits, np.ones(2)) < 2 * low + 0.3
    assert best_temperature(CLASSES, wrong, logits, np.ones(2)) == pytest.approx(high, rel=1e-3)
    assert best_temperature(CLASSES, right, logits * 0, np.ones(2)) == 1.0


def test_probabilities():
    logits = np.array([[1000.0, 0.0, -1000.0], [2.0, 0.0, 0.0]])
    found = probabilities(CLASSES, logits, 2.0)
    assert found[0] == pytest.approx([1.0, 0.0, 0.0])
    assert found[1] == pytest.approx(np.array([np.e, 1, 1]) / (np.e + 2))
    assert probabilities(ATTRIBUTES, [[0.0, 4.0]], 4.0)[0] == pytest.approx([0.5, expit(1.0)])
    assert probabilities(VALUES, [[7.0]])[0].tolist() == [7.0]


def test_wrong_input():
    with pytest.raises(ValueError, match="'age': a regression has no probabilities"):
        best_temperature(VALUES, [[1.0]], [[1.0]], [[1.0]])
    with pytest.raises(ValueError, match="'pose': nothing is annotated"):
        best_temperature(CLASSES, np.eye(3), np.eye(3), np.zeros(3))
    for temperature in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="must be finite and > 0"):
            probabilities(CLASSES, np.eye(3), temperature)
