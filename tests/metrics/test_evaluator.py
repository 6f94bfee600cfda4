"""Properties of `Evaluator` and `evaluate` that hold for every kind of task, and bad inputs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_dm.metrics import Evaluator, evaluate
from tests.metrics.cases import AFFECT, EXPRESSION, TASKS, UNITS, assert_same, batches, random_set

per_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind)
sets = st.tuples(st.integers(1, 60), st.integers(0, 10**6), st.booleans())
quick = settings(deadline=None, max_examples=25)


@per_task
@quick
@given(drawn=sets, size=st.integers(1, 70))
def test_result_does_not_depend_on_the_batch_size(task, drawn, size):
    arrays = random_set(task, *drawn)
    evaluator = Evaluator(task)
    for batch in batches(arrays, size):
        evaluator.update(*batch)
    assert_same(evaluator.result(), evaluate(task, *arrays))


@per_task
@quick
@given(drawn=sets)
def test_result_does_not_depend_on_the_order_of_rows(task, drawn):
    arrays = random_set(task, *drawn)
    order = np.random.default_rng(0).permutation(drawn[0])
    assert_same(
        evaluate(task, *(array[order] for array in arrays)), evaluate(task, *arrays), rtol=1e-8
    )


@per_task
@quick
@given(drawn=sets)
def test_permuted_labels_permute_the_values(task, drawn):
    labels, scores, mask = random_set(task, *drawn)
    if task.kind == "multiclass":  # Ties between logits go to the first class, so none here.
        scores = scores + np.linspace(0, 0.1, task.size, dtype=np.float32)
    order = np.random.default_rng(0).permutation(task.size)
    permuted = task.replace(labels=tuple(task.labels[i] for i in order))
    actual = evaluate(
        permuted, labels[:, order], scores[:, order], mask if mask.ndim == 1 else mask[:, order]
    )
    expected = evaluate(task, labels, scores, mask)
    assert actual == pytest.approx(expected, rel=1e-12, nan_ok=True)


@per_task
@quick
@given(drawn=sets, junk=st.sampled_from([np.nan, np.inf, -1.0, 7.0]))
def test_what_is_under_a_zero_mask_changes_nothing(task, drawn, junk):
    labels, scores, mask = random_set(task, *drawn)
    hidden = np.broadcast_to(mask if mask.ndim == 2 else mask[:, None], labels.shape) == 0
    assert_same(
        evaluate(task, np.where(hidden, junk, labels), np.where(hidden, junk, scores), mask),
        evaluate(task, labels, scores, mask),
        rtol=0,
        atol=0,
    )


@per_task
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_extreme_scores_stay_finite(task, dtype):
    labels, scores, mask = random_set(task, 200)
    extreme = np.where(scores > 0, 1e4, -1e4).astype(dtype)
    result = evaluate(task, labels, extreme, mask)
    assert np.isfinite(list(result.values())).all()


@per_task
def test_float16_scores_equal_the_same_scores_in_float64(task):
    labels, scores, mask = random_set(task, 200)
    half = scores.astype(np.float16)
    assert_same(
        evaluate(task, labels, half, mask),
        evaluate(task, labels, half.astype(np.float64), mask),
        rtol=0,
        atol=0,
    )


def test_scores_closer_than_float32_are_not_tied():
    scores = np.tile([[1.0], [1 + 1e-12]], (1, 3))
    labels = np.tile([[0.0], [1]], (1, 3))
    assert evaluate(UNITS, labels, scores, np.ones((2, 3)))["average_precision"] == 1.0


@per_task
def test_result_can_be_read_between_batches(task):
    arrays = random_set(task, 40)
    evaluator = Evaluator(task)
    for end, batch in zip((10, 20, 30, 40), batches(arrays, 10), strict=True):
        evaluator.update(*batch)
        assert_same(evaluator.result(), evaluate(task, *(array[:end] for array in arrays)))


def test_result_before_any_row():
    with pytest.raises(ValueError, match="at least one row must be given before result"):
        Evaluator(UNITS).result()


def test_refused_batch_leaves_no_trace():
    arrays = random_set(AFFECT, 20)
    evaluator = Evaluator(AFFECT)
    evaluator.update(*arrays)
    with pytest.raises(ValueError, match="scores must be finite"):
        evaluator.update(np.zeros((1, 2)), np.full((1, 2), np.nan), np.ones((1, 2)))
    assert_same(evaluator.result(), evaluate(AFFECT, *arrays))


one = np.ones((1, 3))
hot = np.eye(4)[:2]


@pytest.mark.parametrize(
    ("task", "labels", "scores", "mask", "message"),
    [
        (UNITS, np.ones(3), one, one, r"labels must have shape \[N, 3\], got \(3,\)"),
        (UNITS, np.ones((1, 2)), one, one, r"labels must have shape \[N, 3\], got \(1, 2\)"),
        (UNITS, one[:0], one[:0], one[:0], r"labels must have at least one row, got .*\(0, 3\)"),
        (UNITS, one, np.ones((2, 3)), one, r"scores must have the labels' shape \(1, 3\)"),
        (UNITS, one, one, np.ones(1), r"mask must have shape \(1, 3\), got \(1,\)"),
        (EXPRESSION, hot, hot, np.ones((2, 4)), r"mask must have shape \(2,\), got \(2, 4\)"),
        (UNITS, one, one, 0.5 * one, "mask must hold 0 and 1 only, got 0.5"),
        (UNITS, one, one, np.nan * one, "mask must hold 0 and 1 only, got nan"),
        (UNITS, one, np.nan * one, one, "scores must be finite .* is 1, got nan in row 0"),
        (UNITS, one, np.inf * one, one, "scores must be finite where the mask is 1, got inf"),
    ],
)
def test_bad_inputs(task, labels, scores, mask, message):
    with pytest.raises(ValueError, match=f"Task '{task.name}': {message}"):
        evaluate(task, labels, scores, mask)


@pytest.mark.parametrize(
    ("task", "labels", "message"),
    [
        (
            EXPRESSION,
            0 * hot,
            r"distributions over the classes .*, got \[0\. 0\. 0\. 0\.\] in row 0",
        ),
        (
            EXPRESSION,
            hot + np.eye(4)[[0, 0]] * [[0], [1]],
            r"got \[1\. 1\. 0\. 0\.\] in row 1 \(1 such",
        ),
        (EXPRESSION, -hot, "distributions"),
        (EXPRESSION, np.nan * hot, "distributions"),
        (UNITS, np.nan * np.ones((2, 3)), r"lie in \[0, 1\] where annotated, got nan in row 0"),
        (UNITS, [[0, 1, 1], [1, -1, 0]], r"lie in \[0, 1\] where annotated, got -1.0 in row 1"),
        (AFFECT, [[0, 0.5], [np.inf, 0]], "be finite where annotated, got inf in row 1"),
    ],
)
def test_labels_that_break_their_rule(task, labels, message):
    mask = np.ones((2, *task.mask_shape))
    with pytest.raises(ValueError, match=f"Labels of '{task.name}' must .*{message}"):
        evaluate(task, labels, np.zeros((2, task.size)), mask)
