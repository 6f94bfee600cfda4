"""Thresholds chosen for the highest F1."""

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.metrics import f1_score

from mtl_dm.metrics import best_f1_thresholds, evaluate, with_tuned
from mtl_dm.tasks import Task

TASK = Task.multilabel("units", ["a", "b", "c"])


def rows(seed, count=60):
    rng = np.random.default_rng(seed)
    labels = (rng.random((count, 3)) < [0.1, 0.5, 0.8]).astype(np.float32)
    scores = (rng.normal(size=(count, 3)) + labels - 1).round(1).astype(np.float32)
    return labels, scores, (rng.random((count, 3)) < 0.7).astype(np.float32)


@pytest.mark.parametrize("seed", range(10))
def test_no_other_threshold_is_better(seed):
    labels, scores, mask = rows(seed)
    thresholds = best_f1_thresholds(TASK, labels, scores, mask)
    for column in range(3):
        kept = mask[:, column] > 0
        truth, probability = labels[kept, column], expit(scores[kept, column].astype(float))
        best = f1_score(truth, probability > thresholds[column])
        # All that there are: between two scores every threshold cuts the same rows off.
        steps = np.unique(probability)
        for other in (0.0, *(steps[:-1] + steps[1:]) / 2, 1.0):
            assert f1_score(truth, probability > other, zero_division=0) <= best + 1e-12


def test_by_hand():
    # Scores 2, 1, 0, -1 with labels 1, 0, 1, 0: F1 of the cuts 2/3, 1/2, 4/5, 2/3.
    # The best is between 0 and -1: probability of -0.5.
    column = np.array([2.0, 1.0, 0.0, -1.0])[:, None]
    labels = np.array([1.0, 0.0, 1.0, 0.0])[:, None]
    task = Task.multilabel("units", ["a"])
    found = best_f1_thresholds(task, labels, column, np.ones_like(labels))
    np.testing.assert_allclose(logit(found), [-0.5])


def test_never_below_one_half_on_the_same_rows():
    labels, scores, mask = rows(3)
    tuned = best_f1_thresholds(TASK, labels, scores, mask)
    assert (
        evaluate(TASK, labels, scores, mask, thresholds=tuned)["f1"]
        >= evaluate(TASK, labels, scores, mask)["f1"]
    )


def test_without_a_positive_it_stays_one_half():
    labels, scores, mask = rows(0)
    labels[:, 0], mask[:, 1] = 0, 0
    np.testing.assert_array_equal(best_f1_thresholds(TASK, labels, scores, mask)[:2], 0.5)


def test_extreme_scores_stay_inside_the_open_interval():
    labels, scores, mask = rows(0)
    found = best_f1_thresholds(TASK, labels, np.where(labels > 0, 1e4, 1e3), mask)
    assert ((found > 0) & (found < 1)).all()
    assert (best_f1_thresholds(TASK, labels, scores * 1e3, mask) > 0).all()


def test_other_kinds_of_task_have_none():
    with pytest.raises(ValueError, match="thresholds are for multilabel, not multiclass"):
        best_f1_thresholds(Task.multiclass("kind", ["a", "b"]), None, None, None)


def test_tuned_metrics_stand_beside_those_at_one_half():
    labels, scores, mask = rows(0)
    thresholds = best_f1_thresholds(TASK, labels, scores, mask)
    default = evaluate(TASK, labels, scores, mask)
    tuned = evaluate(TASK, labels, scores, mask, thresholds=thresholds)
    both = with_tuned(default, tuned)
    assert {name: both[name] for name in default} == default
    beside = {name: value for name, value in both.items() if name not in default}
    assert beside == {
        "accuracy_tuned": tuned["accuracy"],
        "f1_tuned": tuned["f1"],
        "afa_tuned": tuned["afa"],
        **{f"accuracy_tuned/{label}": tuned[f"accuracy/{label}"] for label in TASK.labels},
        **{f"f1_tuned/{label}": tuned[f"f1/{label}"] for label in TASK.labels},
    }
    # On the rows that they were chosen on.
    assert both["f1_tuned"] > both["f1"]
