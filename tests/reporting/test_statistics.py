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
from mtl_dm.reporting.statistics import corrected_p, holm, mean_p


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
        ({"a": [1.0]}, {"a": [0.0]}, "must be above"),
        ({"a": [0.5]}, {"a": [1e-5]}, "must be above"),
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


class TestCorrectedP:
    def test_against_scipy(self):
        values, ratio = [0.02, -0.01, 0.04, 0.03, 0.01, 0.02], 0.25
        t = np.mean(values) / (np.std(values, ddof=1) * np.sqrt(1 / 6 + ratio))
        assert corrected_p(values, ratio) == pytest.approx(2 * stats.t.sf(abs(t), 5))
        assert corrected_p([-value for value in values], ratio) == corrected_p(values, ratio)

    def test_is_half_of_a_tenth_where_the_interval_ends_at_0(self):
        values = np.array([0.3, 0.1, 0.5, 0.2])
        mean, half = corrected_interval(values)
        assert corrected_p(values - mean + half) == pytest.approx(0.05)

    def test_without_spread_there_is_no_test(self):
        assert np.isnan([corrected_p([0.1]), corrected_p([0.1, 0.1, 0.1])]).all()

    def test_bad_values(self):
        with pytest.raises(ValueError, match="finite"):
            corrected_p([0.1, np.nan])


class TestMeanP:
    @pytest.mark.parametrize("n", [2, 3, 5])
    def test_against_scipy(self, n):
        values = np.random.default_rng(n).normal(0.01, 0.02, n)
        assert mean_p(values) == pytest.approx(stats.ttest_1samp(values, 0.0).pvalue)

    def test_is_half_of_a_tenth_where_the_interval_ends_at_0(self):
        values = np.array([0.3, 0.1, 0.5, 0.2])
        mean, half = mean_interval(values)
        assert mean_p(values - mean + half) == pytest.approx(0.05)

    def test_without_spread_there_is_no_test(self):
        assert np.isnan([mean_p([0.1]), mean_p([0.1, 0.1, 0.1])]).all()

    def test_bad_values(self):
        with pytest.raises(ValueError, match="finite"):
            mean_p([0.1, np.nan])


class TestHolm:
    def test_by_hand(self):
        # In order .005 x 4, .01 x 3, .03 x 2, .04 x 1; the last may not be below the third.
        assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])

    def test_one_test_stays_and_many_end_at_1(self):
        assert holm([0.04]) == [0.04]
        assert holm([0.6, 0.7, 0.8]) == [1.0, 1.0, 1.0]
        assert holm([]) == []

    def test_what_is_no_test_counts_for_nothing(self):
        found = holm([0.01, np.nan, 0.04])
        assert np.isnan(found[1])
        assert found[::2] == pytest.approx([0.02, 0.04])

    def test_against_the_sequential_definition(self):
        rng = np.random.default_rng(0)
        values = rng.random(9) / 20
        adjusted = np.array(holm(values))
        for alpha in (0.01, 0.05, 0.1, 0.3):
            rejected = np.zeros(9, bool)
            for k, place in enumerate(np.argsort(values)):
                if values[place] > alpha / (9 - k):
                    break
                rejected[place] = True
            np.testing.assert_array_equal(adjusted <= alpha, rejected)

    def test_bad_values(self):
        with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got \[0.1, 1.2\]"):
            holm([0.1, 1.2])
