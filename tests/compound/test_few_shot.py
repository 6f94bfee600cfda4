"""Few-shot recognition against scikit-learn."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import normalize

from mtl_dm.compound import CLASSIFIERS, few_shot, judged, unweighted_average_recall
from mtl_dm.compound.few_shot import draw

NAMES = ("a", "b", "c")
CENTRES = np.array([[2.0, 0, 0, 0], [0, 2.0, 0, 0], [0, 0, 2.0, 0]])


def images(count, seed, spread=1.5):
    rng = np.random.default_rng(seed)
    ids = np.arange(count) % 3
    return CENTRES[ids] + spread * rng.normal(size=(count, 4)), ids


@pytest.mark.parametrize(
    ("name", "reference"),
    [("class_means", NearestCentroid()), ("logistic_regression", LogisticRegression())],
)
def test_is_what_scikit_learn_predicts(name, reference):
    (features, ids), (tested, _) = images(30, 0), images(60, 1)
    want = reference.fit(features, ids).predict(tested)
    np.testing.assert_array_equal(CLASSIFIERS.get(name)(features, ids, tested), want)


def test_draws_are_those_that_are_fitted():
    support, tested = images(30, 0), images(60, 1)
    found = few_shot(support, tested, NAMES, 5, "class_means", draws=3, seed=4)
    for number, value in enumerate(found):
        chosen = draw(support[1], dict(enumerate(NAMES)), 5, np.random.default_rng([4, 5, number]))
        fitted = NearestCentroid().fit(normalize(support[0])[chosen], support[1][chosen])
        want = balanced_accuracy_score(tested[1], fitted.predict(normalize(tested[0])))
        assert value == pytest.approx(want)
    assert len(set(found)) > 1


def test_more_examples_help():
    support, tested = images(90, 0), images(300, 1)
    few, many = (few_shot(support, tested, NAMES, k, draws=10).mean() for k in (1, 20))
    assert many > few + 0.05


def test_k_of_each_class_without_repetition():
    ids = np.array([0, 2, 2, 1, 0, 2, 1])
    found = draw(ids, {0: "a", 2: "c"}, 2, np.random.default_rng(0))
    assert sorted(ids[found].tolist()) == [0, 0, 2, 2]
    assert len(set(found)) == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"k": 11}, "larger than a class: 11 images of each were asked for, a has 10, b has 10"),
        ({"k": 0}, "k must be at least 1, got 0"),
        ({"draws": 0}, "draws must be at least 1, got 0"),
        ({"classifier": "tree"}, "Unknown few-shot classifier 'tree'. Known: class_means"),
    ],
)
def test_wrong_arguments(changes, message):
    with pytest.raises(ValueError, match=message):
        few_shot(images(30, 0), images(30, 1), NAMES, **{"k": 1, **changes})


def test_judged():
    ids, scores = np.array([0, 0, 0, 1, 1]), np.eye(3)[[0, 0, 1, 1, 2]]
    found = judged(ids, scores, NAMES)
    assert found["uar"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert found["accuracy"] == pytest.approx(3 / 5)
    assert (found["recall/a"], found["recall/b"]) == (pytest.approx(2 / 3), 0.5)
    assert np.isnan(found["recall/c"])
    predicted = np.random.default_rng(0).integers(0, 3, 50)
    labels = np.arange(50) % 3
    assert unweighted_average_recall(labels, predicted, 3) == pytest.approx(
        balanced_accuracy_score(labels, predicted)
    )
