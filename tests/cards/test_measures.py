"""The numbers of a card, against scikit-learn, by brute force and by hand."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, recall_score

from mtl_dm.cards import measures
from mtl_dm.cards.counting import MOST_LABELS, TaskCount
from mtl_dm.metrics import evaluate
from mtl_dm.tasks import Task

RNG = np.random.default_rng(0)
NAMES = ("one", "other", "rare")


def test_recall_and_no_verdict_on_a_rare_class():
    labels = np.repeat([0, 1, 2], [40, 60, 29])
    predicted = np.where(RNG.random(129) < 0.7, labels, RNG.integers(0, 3, 129))
    found = measures.recalls(labels, predicted, NAMES)
    want = recall_score(labels, predicted, average=None)
    for name, value in zip(NAMES[:2], want, strict=False):
        assert found[name]["value"] == pytest.approx(value)
        assert 0 < found[name]["low"] < value < found[name]["high"] < 1
    assert found["rare"] == {"value": None, "low": None, "high": None, "of": 29}


def test_the_interval_of_a_share_is_wilsons():
    # Newcombe 1998, Table I, 81 of 263: 0.2553 to 0.3662.
    found = measures.share(81, 263)
    assert (found["low"], found["high"]) == pytest.approx((0.2553, 0.3662), abs=1e-4)


def test_f1_and_how_often_its_interval_holds():
    # Of images labelled or predicted present two thirds are both: F1 = 2 s / (1 + s) = 0.8.
    held = 0
    for hits in RNG.binomial(90, 2 / 3, 400):
        found = measures.f1(int(hits), 90 - int(hits))
        held += found["low"] <= 0.8 <= found["high"]
    assert 0.92 < held / 400 < 0.98
    assert measures.f1(20, 9)["value"] is None


def test_ccc_and_its_jackknife_against_leaving_each_image_out():
    labels = RNG.normal(size=40)
    values = 0.6 * labels + 0.3 + RNG.normal(size=40) * 0.5

    def ccc(keep):
        y, x = labels[keep], values[keep]
        apart = (y.mean() - x.mean()) ** 2
        return 2 * np.cov(y, x, ddof=0)[0, 1] / (y.var() + x.var() + apart)

    z = np.arctanh([ccc(np.arange(40) != left) for left in range(40)])
    pseudo = 40 * np.arctanh(ccc(np.arange(40))) - 39 * z
    reach = 1.959964 * pseudo.std(ddof=1) / np.sqrt(40)
    found = measures.ccc(labels, values)
    assert found["value"] == pytest.approx(ccc(np.arange(40)))
    assert found["low"] == pytest.approx(np.tanh(pseudo.mean() - reach))
    assert found["high"] == pytest.approx(np.tanh(pseudo.mean() + reach))
    assert measures.ccc(labels, labels)["low"] is None
    assert measures.ccc(labels[:29], values[:29])["value"] is None


def test_attributes_count_where_they_are_labelled():
    task = Task.multilabel("signs", NAMES[:2])
    labels, logits = RNG.integers(0, 2, (90, 2)).astype(float), RNG.normal(size=(90, 2))
    mask = np.ones((90, 2))
    mask[:20, 0] = 0
    labels[29:, 1] = 0
    metrics = evaluate(task, labels, logits, mask)
    count = TaskCount(task)
    for part in (slice(0, 50), slice(50, 90)):
        count.update(labels[part], logits[part], mask[part])
    found = count.result(metrics)["labels"]
    want = f1_score(labels[20:, 0], logits[20:, 0] > 0)
    assert found["one"]["f1"]["value"] == pytest.approx(want) == metrics["f1/one"]
    assert found["one"]["average_precision"] == metrics["average_precision/one"]
    assert found["one"]["base_rate"] == pytest.approx(labels[20:, 0].mean())
    assert found["other"]["average_precision"] is None
    assert found["other"]["positives"] == labels[:, 1].sum() < measures.LEAST


def test_calibration_error_of_one_bin():
    # All 40 stated with 0.75, 20 of them right.
    labels = np.eye(2)[np.repeat([0, 1], 20)]
    logits = np.tile([np.log(3.0), 0.0], (40, 1))
    task = Task.multiclass("t", ("a", "b"))
    for temperature, error in ((1.0, 0.25), (1e6, 0.0)):
        count = TaskCount(task, temperature)
        count.update(labels, logits, np.ones(40))
        found = count.result(evaluate(task, labels, logits, np.ones(40)))
        assert found["calibration_error"] == pytest.approx(error, abs=1e-3)
        assert found["accuracy"]["value"] == 0.5


def test_values_and_what_nobody_labelled():
    task = Task.regression("affect", ("valence", "arousal"))
    labels = RNG.normal(size=(40, 2))
    mask = np.stack([np.ones(40), np.zeros(40)], axis=1)
    count = TaskCount(task)
    count.update(labels, labels + 0.5, mask)
    found = count.result(evaluate(task, labels, labels + 0.5, mask))
    assert found["labels"]["valence"]["ccc"]["of"] == 40
    assert found["labels"]["arousal"]["ccc"] == {"value": None, "low": None, "high": None, "of": 0}
    nobody = TaskCount(task)
    nobody.update(labels, labels, 0 * mask)
    assert nobody.result({}) is None
    assert TaskCount(task).result({}) is None


def test_hundreds_of_classes_have_no_line_each():
    task = Task.multiclass("identity", [f"p{n}" for n in range(MOST_LABELS + 1)])
    labels = np.eye(task.size)
    count = TaskCount(task)
    count.update(labels, labels, np.ones(task.size))
    assert count.result({"average_accuracy": 1.0})["labels"] == {}
