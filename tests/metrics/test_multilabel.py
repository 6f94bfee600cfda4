"""`evaluate` of a multilabel task, against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn import metrics as reference

from mtl_dm.metrics import evaluate
from mtl_dm.tasks import Task
from tests.metrics.cases import UNITS, random_set


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ties", [False, True])
def test_equals_scikit_learn_on_the_annotated_entries(seed, ties):
    labels, scores, mask = random_set(UNITS, 500, seed, ties)
    result = evaluate(UNITS, labels, scores, mask)
    per_metric = {"accuracy": [], "f1": [], "average_precision": [], "base_rate": []}
    for m, name in enumerate(UNITS.labels):
        rows = mask[:, m] == 1
        true, logits = labels[rows, m] > 0.5, scores[rows, m]
        per_metric["accuracy"].append(reference.accuracy_score(true, logits > 0))
        per_metric["f1"].append(reference.f1_score(true, logits > 0))
        per_metric["average_precision"].append(
            reference.average_precision_score(true, 1 / (1 + np.exp(-logits.astype(float))))
        )
        per_metric["base_rate"].append(true.mean())
        for metric, values in per_metric.items():
            assert result[f"{metric}/{name}"] == pytest.approx(values[-1])
    for metric in ("accuracy", "f1", "average_precision"):
        assert result[metric] == pytest.approx(np.mean(per_metric[metric]))
    assert result["afa"] == pytest.approx((result["accuracy"] + result["f1"]) / 2)


def test_by_hand():
    # AU1: labels 1 1 0 0, logits 3 -1 1 -2: right 1st and 4th, accuracy 1/2;
    #      F1 = 2*1/(2 labelled + 2 predicted) = 1/2; ranks 3, 1, -1, -2: positives 1st and 3rd,
    #      AP = (1/1 + 2/3)/2 = 5/6; base rate 1/2.
    # AU2: annotated in rows 1 and 2 only, label 0 0, logits -1 -1: accuracy 1, F1 0 (no positive
    #      at all), AP not defined, base rate 0.
    # AU4: not annotated: nothing defined.
    # accuracy (1/2 + 1)/2 = 3/4; F1 (1/2 + 0)/2 = 1/4; AFA (3/4 + 1/4)/2 = 1/2; AP 5/6.
    nan = np.nan
    labels = np.array([[1, 0, nan], [1, 0, nan], [0, nan, nan], [0, nan, nan]])
    scores = np.array([[3, -1, 5], [-1, -1, 5], [1, 9, 5], [-2, nan, 5]], float)
    mask = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 0], [1, 0, 0]])
    expected = {
        "accuracy": 3 / 4,
        "f1": 1 / 4,
        "afa": 1 / 2,
        "average_precision": 5 / 6,
        "accuracy/AU1": 1 / 2,
        "accuracy/AU2": 1.0,
        "accuracy/AU4": nan,
        "f1/AU1": 1 / 2,
        "f1/AU2": 0.0,
        "f1/AU4": nan,
        "average_precision/AU1": 5 / 6,
        "average_precision/AU2": nan,
        "average_precision/AU4": nan,
        "base_rate/AU1": 1 / 2,
        "base_rate/AU2": 0.0,
        "base_rate/AU4": nan,
    }
    assert evaluate(UNITS, labels, scores, mask) == pytest.approx(expected, nan_ok=True)


def test_nothing_annotated_is_nan():
    labels, scores, mask = random_set(UNITS, 5)
    result = evaluate(UNITS, labels, scores, np.zeros_like(mask))
    assert np.isnan(list(result.values())).all()


def test_thresholds_move_predictions_and_not_the_ranking():
    labels, scores, mask = random_set(UNITS, 300)
    thresholds = np.array([0.2, 0.5, 0.9])
    result = evaluate(UNITS, labels, scores, mask, thresholds=thresholds)
    plain = evaluate(UNITS, labels, scores, mask)
    probabilities = 1 / (1 + np.exp(-scores.astype(float)))
    for m, name in enumerate(UNITS.labels):
        rows = mask[:, m] == 1
        expected = reference.f1_score(labels[rows, m] > 0.5, probabilities[rows, m] > thresholds[m])
        assert result[f"f1/{name}"] == pytest.approx(expected)
        assert result[f"average_precision/{name}"] == plain[f"average_precision/{name}"]
    assert evaluate(UNITS, labels, scores, mask, thresholds=0.5) == plain


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        ([0.5, 0.5], r"thresholds must be one value or have shape \(3,\), got \(2,\)"),
        ([0.5, 0.5, 1.0], r"thresholds must be in \(0, 1\)"),
        (np.nan, r"thresholds must be in \(0, 1\)"),
    ],
)
def test_bad_thresholds(thresholds, message):
    with pytest.raises(ValueError, match=message):
        evaluate(UNITS, *random_set(UNITS, 5), thresholds=thresholds)


def test_thresholds_are_for_multilabel_only():
    task = Task.multiclass("letter", ["a", "b"])
    with pytest.raises(ValueError, match="thresholds must be None for a multiclass task"):
        evaluate(task, np.eye(2), np.eye(2), np.ones(2), thresholds=0.5)


def test_soft_labels_count_above_a_half():
    labels = np.array([[0.4, 0.6, 0.5]])
    result = evaluate(UNITS, labels, np.ones((1, 3)), np.ones((1, 3)))
    assert [result[f"base_rate/{name}"] for name in UNITS.labels] == [0.0, 1.0, 0.0]
