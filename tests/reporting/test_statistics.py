import math

import numpy as np
import pytest
from scipy import stats

from mtl_dm.reporting import (
    corrected_interval,
    mean_interval,
    relative_change,
    wilson_interval,
)


@pytest.mark.parametrize("n", [2, 3, 12])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_mean_interval_equals_scipy(n, level):
    values = np.random.default_rng(n).normal(0.6, 0.05, n)
    mean, half = mean_interval(values, level)
    low, high = stats.t.interval(level, n - 1, loc=values.mean(), scale=stats.sem(values))
    np.testing.assert_allclose([mean - half, mean + half], [low, high], rtol=1e-12)


def test_mean_interval_by_hand():
    # Mean 2, s = 1, n = 3; the tables give t(0.975, 2) = 4.3027; 4.3027 / sqrt(3) = 2.4841.
    assert mean_interval([1, 2, 3]) == pytest.approx((2.0, 2.4841), abs=1e-4)


@pytest.mark.parametrize("interval", [mean_interval, corrected_interval])
def test_one_value_has_no_interval(interval):
    mean, half = interval([0.4])
    assert mean == 0.4
    assert math.isnan(half)


def test_corrected_interval_by_hand():
    # As above, with s^2 (1/3 + 1) in place of s^2 / 3: 4.3027 * sqrt(4/3) = 4.9683.
    assert corrected_interval([1, 2, 3]) == pytest.approx((2.0, 4.9683), abs=1e-4)


def test_corrected_interval_of_six_times_two_folds_is_sqrt_13_times_wider():
    # sqrt((1/12 + 1) / (1/12)) = sqrt(13).
    values = np.random.default_rng(0).normal(size=12)
    ratio = corrected_interval(values)[1] / mean_interval(values)[1]
    assert ratio == pytest.approx(math.sqrt(13))


@pytest.mark.parametrize("values", [[], [math.nan, 1.0], [math.inf]])
def test_bad_values_are_refused(values):
    with pytest.raises(ValueError, match="values must be"):
        mean_interval(values)


def test_bad_level_and_ratio_are_refused():
    with pytest.raises(ValueError, match="level must lie"):
        mean_interval([1.0, 2.0], level=1.0)
    with pytest.raises(ValueError, match="test_train_ratio must be positive"):
        corrected_interval([1.0, 2.0], test_train_ratio=0.0)


def test_relative_change_by_hand():
    # (0.6 - 0.5)/0.5 = +20 %; (0.3 - 0.4)/0.4 = -25 %; mean -2.5 %.
    change = relative_change({"a": [0.6], "b": [0.3]}, {"a": [0.5], "b": [0.4]})
    assert change == pytest.approx(-2.5)


def test_a_lower_error_is_a_gain():
    # a: (0.4 - 0.5) / 0.5 = -20 %, an error: +20 %; b: +10 %; mean 15 %.
    signs = {"a": [-1], "b": [1]}
    change = relative_change({"a": [0.4], "b": [0.55]}, {"a": [0.5], "b": [0.5]}, signs)
    assert change == pytest.approx(15.0)


def test_every_task_counts_once():
    # a: mean of +20 % and 0 % = 10 %; b: -25 %; mean -7.5 %.
    change = relative_change({"a": [0.6, 0.5], "b": [0.3]}, {"a": [0.5, 0.5], "b": [0.4]})
    assert change == pytest.approx(-7.5)


@pytest.mark.parametrize(
    ("multi", "single", "message"),
    [
        ({}, {}, "same tasks"),
        ({"a": [1.0]}, {"b": [1.0]}, "same tasks"),
        ({"a": [1.0]}, {"a": [1.0, 2.0]}, "same metrics"),
        ({"a": [1.0]}, {"a": [0.0]}, "must be positive"),
    ],
)
def test_relative_change_refuses(multi, single, message):
    with pytest.raises(ValueError, match=message):
        relative_change(multi, single)


class TestWilson:
    @pytest.mark.parametrize(("successes", "trials"), [(0, 5), (5, 5), (3, 7), (1, 1), (52, 1000)])
    @pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
    def test_against_scipy(self, successes, trials, level):
        expected = stats.binomtest(successes, trials).proportion_ci(level, method="wilson")
        np.testing.assert_allclose(
            wilson_interval(successes, trials, level), expected, rtol=1e-9, atol=1e-12
        )

    def test_by_hand(self):
        # p = 0 of n = 4, z = 1.96: (z^2 / 2n + z^2 / 2n) / (1 + z^2 / n) = z^2 / (n + z^2).
        low, high = wilson_interval(0, 4)
        assert low == 0
        assert high == pytest.approx(1.959964**2 / (4 + 1.959964**2), rel=1e-6)
        assert wilson_interval(4, 4) == pytest.approx((1 - high, 1))

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((0, 0), "at least 1, got 0 of 0"),
            ((3, 2), "got 3 of 2"),
            ((-1, 2), "got -1 of 2"),
            ((1, 2, 1.0), "level must lie strictly between 0 and 1"),
        ],
    )
    def test_wrong_input(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            wilson_interval(*arguments)
