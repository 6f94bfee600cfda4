"""`evaluate` of a multiclass task, against scikit-learn and by hand."""

import tracemalloc

import numpy as np
import pytest
from scipy.special import softmax
from sklearn import metrics as reference

from mtl_dm.metrics import Evaluator, evaluate
from mtl_dm.tasks import Task
from tests.metrics.cases import EXPRESSION, random_set


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ties", [False, True])
def test_equals_scikit_learn_on_the_annotated_rows(seed, ties):
    labels, scores, mask = random_set(EXPRESSION, 500, seed, ties)
    result = evaluate(EXPRESSION, labels, scores, mask)

    rows = mask == 1
    true, predicted = labels[rows].argmax(1), scores[rows].argmax(1)
    assert result["accuracy"] == pytest.approx(reference.accuracy_score(true, predicted))
    assert result["average_accuracy"] == pytest.approx(
        reference.balanced_accuracy_score(true, predicted)
    )
    assert result["f1"] == pytest.approx(reference.f1_score(true, predicted, average="macro"))
    f1 = reference.f1_score(true, predicted, average=None)
    recall = reference.recall_score(true, predicted, average=None)
    # Rounded, so that rows with the same logits in another order tie in the reference too.
    probabilities = np.round(softmax(scores[rows].astype(np.float64), axis=1), 12)
    precisions = []
    for k, name in enumerate(EXPRESSION.labels):
        precisions.append(reference.average_precision_score(true == k, probabilities[:, k]))
        assert result[f"average_precision/{name}"] == pytest.approx(precisions[-1])
        assert result[f"f1/{name}"] == pytest.approx(f1[k])
        assert result[f"recall/{name}"] == pytest.approx(recall[k])
        assert result[f"base_rate/{name}"] == pytest.approx(np.mean(true == k))
    assert result["average_precision"] == pytest.approx(np.mean(precisions))


def test_by_hand():
    # rows      label  logits          argmax   p(a)  rank by p(a)
    #  1          a     (2, 0, 0)        a       .787   1
    #  2          a     (0, 1, 0)        b       .212   4
    #  3          b     (1, 0, 0)        a       .576   2
    #  4          b     (0, 2, 0)        b       .107   5
    #  5          b     (0, 0, 0)        a(tie)  .333   3
    # accuracy 2/5; recall a 1/2, b 1/3, c does not occur; average accuracy (1/2 + 1/3)/2 = 5/12.
    # F1 a = 2*1/(2 labelled + 3 predicted) = 2/5, b = 2*1/(3 + 2) = 2/5; macro 2/5.
    # AP a: positives at ranks 1 and 4 -> (1/1 + 2/4)/2 = 3/4.
    # AP b: p(b) .107, .576, .212, .787, .333 -> rows 4, 2, 5, 3, 1: b at ranks 1, 3, 4
    #       -> (1 + 2/3 + 3/4)/3 = 29/36.
    task = Task.multiclass("letter", ["a", "b", "c"])
    labels = np.eye(3)[[0, 0, 1, 1, 1]]
    scores = np.array([[2, 0, 0], [0, 1, 0], [1, 0, 0], [0, 2, 0], [0, 0, 0]], float)
    result = evaluate(task, labels, scores, np.ones(5))
    expected = {
        "accuracy": 2 / 5,
        "average_accuracy": 5 / 12,
        "f1": 2 / 5,
        "average_precision": (3 / 4 + 29 / 36) / 2,
        "recall/a": 1 / 2,
        "recall/b": 1 / 3,
        "recall/c": np.nan,
        "f1/a": 2 / 5,
        "f1/b": 2 / 5,
        "f1/c": np.nan,
        "average_precision/a": 3 / 4,
        "average_precision/b": 29 / 36,
        "average_precision/c": np.nan,
        "base_rate/a": 2 / 5,
        "base_rate/b": 3 / 5,
        "base_rate/c": 0.0,
    }
    assert result == pytest.approx(expected, nan_ok=True)
    assert all(type(value) is float for value in result.values())


def test_class_predicted_but_absent_lowers_f1_and_not_average_accuracy():
    task = Task.multiclass("letter", ["a", "b"])
    labels, scores = np.eye(2)[[0, 0]], np.array([[1.0, 0], [0, 1]])
    result = evaluate(task, labels, scores, np.ones(2))
    assert result["average_accuracy"] == 0.5
    assert result["f1"] == pytest.approx(
        reference.f1_score([0, 0], [0, 1], average="macro", zero_division=0)
    )
    assert np.isnan(result["recall/b"])
    assert result["f1/b"] == 0.0


def test_soft_labels_count_as_their_argmax():
    labels, scores, mask = random_set(EXPRESSION, 50)
    smoothed = 0.9 * labels + 0.1 / EXPRESSION.size
    assert evaluate(EXPRESSION, smoothed, scores, mask) == pytest.approx(
        evaluate(EXPRESSION, labels, scores, mask), nan_ok=True
    )


def test_nothing_annotated_is_nan():
    labels, scores, mask = random_set(EXPRESSION, 5)
    result = evaluate(EXPRESSION, labels, scores, np.zeros_like(mask))
    assert np.isnan(list(result.values())).all()


def test_memory_grows_with_the_classes_not_with_their_square():
    task = Task.multiclass("identity", [str(k) for k in range(2000)])
    rng = np.random.default_rng(0)
    ids, scores = rng.integers(0, 2000, 400), rng.normal(size=(400, 2000)).astype(np.float32)
    evaluator = Evaluator(task)
    tracemalloc.start()
    for rows in np.array_split(np.arange(400), 40):
        one_hot = np.zeros((10, 2000), np.float32)
        one_hot[np.arange(10), ids[rows]] = 1
        evaluator.update(one_hot, scores[rows], np.ones(10))
    evaluator.result()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The scores, once kept and once in one piece; 256 rows in float64, three times. A matrix of
    # classes by classes would be 32 MB.
    assert peak < 2 * scores.nbytes + 3 * 256 * 2000 * 8 + 2_000_000
