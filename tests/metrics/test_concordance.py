"""Agreement of real values, against SciPy, scikit-learn, the formula on the whole set, by hand."""

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import mean_squared_error

from mtl_dm.metrics import evaluate
from mtl_dm.metrics.concordance import Moments
from mtl_dm.tasks import Task
from tests.metrics.cases import AFFECT, random_set

VALUE = Task.regression("value", ["value"])


def formula(y, x):
    y, x = y.astype(np.float64), x.astype(np.float64)
    covariance = np.cov(y, x, bias=True)
    return 2 * covariance[0, 1] / (covariance[0, 0] + covariance[1, 1] + (y.mean() - x.mean()) ** 2)


@pytest.mark.parametrize("seed", range(4))
def test_equals_the_formula_on_the_annotated_entries(seed):
    labels, scores, mask = random_set(AFFECT, 300, seed)
    result = evaluate(AFFECT, labels, scores, mask)
    expected = [
        formula(labels[mask[:, r] == 1, r], scores[mask[:, r] == 1, r]) for r in range(AFFECT.size)
    ]
    assert result["ccc/valence"] == pytest.approx(expected[0], rel=1e-12)
    assert result["ccc/arousal"] == pytest.approx(expected[1], rel=1e-12)
    assert result["ccc"] == pytest.approx(np.mean(expected), rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_other_metrics_equal_scipy_and_scikit_learn_on_the_annotated_entries(seed):
    labels, scores, mask = random_set(AFFECT, 300, seed)
    result = evaluate(AFFECT, labels, scores, mask)
    found = {"rmse": [], "pearson": [], "sign_agreement": []}
    for r, name in enumerate(AFFECT.labels):
        y, x = (each[mask[:, r] == 1, r].astype(np.float64) for each in (labels, scores))
        found["rmse"].append(np.sqrt(mean_squared_error(y, x)))
        found["pearson"].append(pearsonr(y, x).statistic)
        found["sign_agreement"].append(np.mean(np.sign(y) == np.sign(x)))
        for metric, values in found.items():
            assert result[f"{metric}/{name}"] == pytest.approx(values[-1], rel=1e-12)
    for metric, values in found.items():
        assert result[metric] == pytest.approx(np.mean(values), rel=1e-12)


def test_the_sign_of_0_agrees_with_0_alone():
    labels, scores = np.c_[[0.0, 0.0, 0.5, -0.5, 0.5]], np.c_[[0.0, 0.1, 0.1, -2.0, -0.1]]
    result = evaluate(VALUE, labels, scores, np.ones((5, 1)))
    assert result["sign_agreement"] == pytest.approx(3 / 5)


def test_there_is_no_correlation_with_a_constant():
    labels, scores = np.c_[[0.0, 1.0, 2.0]], np.full((3, 1), 0.3)
    for y, x in ((labels, scores), (scores, labels)):
        assert np.isnan(evaluate(VALUE, y, x, np.ones((3, 1)))["pearson"])


def test_a_small_error_far_from_zero_keeps_its_digits():
    labels = 1e6 + np.arange(5.0)[:, None]
    result = evaluate(VALUE, labels, labels + 1e-4, np.ones((5, 1)))
    assert result["rmse"] == pytest.approx(1e-4, rel=1e-5)


def test_by_hand():
    # y = 0, 1, 2: mean 1, variance 2/3. x = 1, 1, 3: mean 5/3, variance (4/9 + 4/9 + 16/9)/3 = 8/9.
    # cov = ((-1)(-2/3) + 0 + (1)(4/3))/3 = 2/3. CCC = (4/3)/(2/3 + 8/9 + 4/9) = (4/3)/2 = 2/3.
    labels, scores = np.array([[0.0], [1], [2]]), np.array([[1.0], [1], [3]])
    assert evaluate(VALUE, labels, scores, np.ones((3, 1)))["ccc"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("labels", "scores", "expected"),
    [
        ([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], 1.0),
        ([-1.0, 0.0, 1.0], [1.0, 0.0, -1.0], -1.0),
        ([0.0, 1.0, 2.0], [0.3, 0.3, 0.3], 0.0),
        ([0.1, 0.1, 0.1], [0.1, 0.1, 0.1], 0.0),
        ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], 0.0),
    ],
)
def test_special_cases(labels, scores, expected):
    result = evaluate(VALUE, np.c_[labels], np.c_[scores], np.ones((3, 1)))
    assert result["ccc"] == pytest.approx(expected, abs=1e-15)


def test_value_without_annotation_is_left_out_of_the_mean():
    labels, scores, mask = random_set(AFFECT, 50)
    mask[:, 1] = 0
    result = evaluate(AFFECT, labels, scores, mask)
    assert np.isnan(result["ccc/arousal"])
    assert result["ccc"] == result["ccc/valence"]
    assert np.isnan(evaluate(AFFECT, labels, scores, 0 * mask)["ccc"])


def test_merged_moments_are_accurate_far_from_zero():
    rng = np.random.default_rng(0)
    y = 1e6 + rng.normal(size=(1000, 1))
    x = y + rng.normal(size=(1000, 1))
    moments = Moments.none(1)
    for start in range(0, 1000, 7):
        part = slice(start, start + 7)
        moments = moments.merge(Moments.of(y[part], x[part], np.ones_like(y[part], bool)))
    np.testing.assert_allclose(
        moments.comoments[:, 0] / 1000,
        [y.var(), x.var(), np.cov(y[:, 0], x[:, 0], bias=True)[0, 1]],
        rtol=1e-8,
    )
