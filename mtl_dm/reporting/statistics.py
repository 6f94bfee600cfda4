"""Means, confidence intervals and relative changes: pure functions on numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from mtl_dm.relatedness.contradictions import wilson


def _checked(values: Iterable[float], level: float) -> np.ndarray:
    array = np.asarray(list(values), dtype=np.float64)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"values must be a non-empty sequence of numbers, got {array!r}.")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"values must be finite, got {array.tolist()}.")
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must lie strictly between 0 and 1, got {level}.")
    return array


def _half_width(array: np.ndarray, level: float, variance_factor: float) -> float:
    """Half width t * s * sqrt(variance_factor); NaN where no spread can be seen (n < 2)."""
    if array.size < 2:
        return math.nan
    quantile = float(stdtrit(array.size - 1, (1.0 + level) / 2.0))
    return quantile * float(array.std(ddof=1)) * math.sqrt(variance_factor)


def mean_interval(values: Iterable[float], level: float = 0.95) -> tuple[float, float]:
    """Return mean and half width of Student's t interval over independent repeats (seeds).

    Args:
        values: One number a repeat.
        level: Coverage.

    Returns:
        (mean, half width); the half width is NaN for a single value.

    Raises:
        ValueError: If values is empty or not finite, or level is not inside (0, 1).
    """
    array = _checked(values, level)
    return float(array.mean()), _half_width(array, level, 1.0 / array.size)


def corrected_interval(
    values: Iterable[float], level: float = 0.95, test_train_ratio: float = 1.0
) -> tuple[float, float]:
    """Return mean and half width of the corrected resampled t interval, for cross validation.

    Folds and repeats share training data, so their values are not independent and Student's
    interval is too narrow. Nadeau and Bengio, "Inference for the Generalization Error", Machine
    Learning 52 (2003), replace the variance s^2 / n of the mean by s^2 (1 / n + n_test / n_train);
    Bouckaert and Frank (2004) use it with n = repeats x folds, as here.

    Args:
        values: One number for each fold of each repeat.
        level: Coverage.
        test_train_ratio: n_test / n_train: 1 for 2 folds, 1 / (k - 1) for k folds.

    Returns:
        (mean, half width); the half width is NaN for a single value.

    Raises:
        ValueError: If values is empty or not finite, level is not inside (0, 1), or the ratio is
            not positive.
    """
    array = _checked(values, level)
    if not (test_train_ratio > 0.0 and math.isfinite(test_train_ratio)):
        raise ValueError(f"test_train_ratio must be positive, got {test_train_ratio}.")
    return float(array.mean()), _half_width(array, level, 1.0 / array.size + test_train_ratio)


def mean_p(values: Iterable[float]) -> float:
    """Return the two-sided p of a mean of 0 over independent repeats (seeds) by Student's t test.

    The test of `mean_interval`: t = mean / (s / sqrt(n)) with n - 1 degrees of freedom; p < 1 -
    level where that interval excludes 0.

    Args:
        values: One difference a repeat.

    Returns:
        p; NaN where no spread can be seen: a single value, or values that are all the same.

    Raises:
        ValueError: If values is empty or not finite.
    """
    array = _checked(values, 0.95)
    return _p(array, 1.0 / array.size)


def _p(array: np.ndarray, variance_factor: float) -> float:
    """Return the p of t = mean / (s sqrt(variance_factor)); NaN where no spread can be seen."""
    spread = float(array.std(ddof=1)) if array.size > 1 else 0.0
    # Values that are one but for rounding have no spread either.
    if spread <= 1e-12 * float(np.abs(array).max()):
        return math.nan
    t = float(array.mean()) / (spread * math.sqrt(variance_factor))
    return 2.0 * float(stdtr(array.size - 1, -abs(t)))


def corrected_p(values: Iterable[float], test_train_ratio: float = 1.0) -> float:
    """Return the two-sided p of a mean of 0 by the corrected resampled t test.

    The test of `corrected_interval`: t = mean / (s sqrt(1 / n + n_test / n_train)) with n - 1
    degrees of freedom; p < 1 - level where that interval excludes 0.

    Args:
        values: One difference for each fold of each repeat.
        test_train_ratio: As for `corrected_interval`.

    Returns:
        p; NaN where no spread can be seen: a single value, or values that are all the same.

    Raises:
        ValueError: As `corrected_interval`.
    """
    array = np.asarray(list(values), np.float64)
    corrected_interval(array, test_train_ratio=test_train_ratio)  # Checks both.
    return _p(array, 1.0 / array.size + test_train_ratio)


def holm(probabilities: Iterable[float]) -> list[float]:
    """Return p values adjusted for their number, so that any one below alpha is decided at alpha.

    Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal
    of Statistics 6 (1979). With p_(1) <= ... <= p_(m) in order, that of place k becomes

        max_{j <= k} min(1, (m - j + 1) p_(j)).

    The chance of any false decision stays below alpha, however the tests depend on each other.

    Args:
        probabilities: m values in [0, 1]; a NaN is no test, counts for nothing and stays.

    Returns:
        As many, in the order given.

    Raises:
        ValueError: If a value is outside [0, 1].
    """
    given = np.asarray(list(probabilities), np.float64)
    tests = np.flatnonzero(~np.isnan(given))
    if ((given[tests] < 0.0) | (given[tests] > 1.0)).any():
        raise ValueError(f"probabilities must lie in [0, 1], got {given.tolist()}.")
    order = tests[np.argsort(given[tests], kind="stable")]
    steps = np.arange(len(order), 0, -1) * given[order]
    given[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(value) for value in given]


def wilson_interval(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a share counted on independent trials.

    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22
    (1927). With share p = successes / trials, n trials and z the normal quantile of the level:

        (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)

    It stays inside [0, 1] and has a width at p = 0 and 1 too, where the textbook one has none.

    Args:
        successes: Trials that came out.
        trials: All of them, at least 1.
        level: Coverage.

    Returns:
        (low, high).

    Raises:
        ValueError: If there is no trial, successes are not among the trials, or level is not
            inside (0, 1).
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(
            f"successes must be 0 to trials, which are at least 1, got {successes} of {trials}."
        )
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must lie strictly between 0 and 1, got {level}.")
    z = float(ndtri((1.0 + level) / 2.0))
    low, high = wilson(successes / trials, trials, z)
    # Exactly 0 and 1 at the ends, whatever the rounding.
    return (0.0 if successes == 0 else low), (1.0 if successes == trials else high)


LEAST_BASELINE = 1e-3
"""A network that learned nothing of a task may have a CCC of 1e-5: any other is 1,000 times it."""


def relative_change(
    multi: Mapping[str, Sequence[float]],
    single: Mapping[str, Sequence[float]],
    signs: Mapping[str, Sequence[int]] | None = None,
) -> float:
    """Return delta_m in percent: the mean over tasks of sign (M - ST) / ST.

    Vandenhende et al., "Multi-Task Learning for Dense Prediction Tasks: A Survey", TPAMI 2021,
    section 4.1.2; the sign is -1 for metrics where lower is better. Deviation: a task may bring
    several metrics; their relative changes are averaged first, so that every task counts once.

    Args:
        multi: Task name -> its metrics, of the multi-task model.
        single: The same metrics in the same order, of the single-task models (same seed, fold).
        signs: +1 or -1 for each of them; None: higher is better everywhere.

    Returns:
        The change in percent, positive where the multi-task model is better.

    Raises:
        ValueError: If tasks or numbers of metrics differ or are none, or a single-task value is
            not above `LEAST_BASELINE` (the ratio means nothing then).
    """
    if not multi or set(multi) != set(single):
        raise ValueError(f"multi and single must name the same tasks: {set(multi)}, {set(single)}.")
    changes = []
    for task, values in multi.items():
        baseline = single[task]
        if not values or len(values) != len(baseline):
            raise ValueError(
                f"{task!r} needs the same metrics on both sides, got {len(values)}, "
                f"{len(baseline)}."
            )
        if any(not value > LEAST_BASELINE for value in baseline):
            raise ValueError(
                f"single-task values of {task!r} must be above {LEAST_BASELINE}, got {baseline}."
            )
        directions = [1] * len(values) if signs is None else signs[task]
        found = zip(directions, values, baseline, strict=True)
        changes.append(np.mean([sign * (m - s) / s for sign, m, s in found]))
    return 100.0 * float(np.mean(changes))
