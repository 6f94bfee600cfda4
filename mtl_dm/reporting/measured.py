"""Measured values by row and metric, summarised and compared repeat by repeat."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from mtl_dm.reporting.statistics import corrected_interval, mean_interval, relative_change
from mtl_dm.runs.schema import Repeat

ALPHA = 0.05
"""A difference is decided where p is below."""


class Summary(NamedTuple):
    """Mean, half width of its 95% interval (NaN for one value) and number of values."""

    mean: float
    half_width: float
    n: int

    @property
    def decided(self) -> bool:
        """Whether the interval excludes 0."""
        return abs(self.mean) > self.half_width  # False where the half width is NaN

    @property
    def bare(self) -> Summary:
        """The mean alone, for where there is no room for its interval."""
        return self._replace(half_width=math.nan)


class Tested(NamedTuple):
    """A difference with its test.

    Attributes:
        difference: Mean and 95% interval, as fractions.
        p: Of its test, adjusted for the comparisons it stands among; NaN where there is no test.
    """

    difference: Summary
    p: float

    @property
    def decided(self) -> bool:
        """Whether it is no accident, with as many comparisons as there are."""
        return self.p < ALPHA  # False where there is no test.

    @property
    def text(self) -> str:
        """In points, with its interval and p where there are any."""
        mean, half, _ = self.difference
        width = "" if math.isnan(half) else f" ± {100 * half:.1f}"
        p = "" if math.isnan(self.p) else f" (p {'< 0.001' if self.p < 0.001 else f'{self.p:.3f}'})"
        return f"{100 * mean:+.1f}{width}{p}"


def summarise(values: Mapping[Repeat, float], test_train_ratio: float = 1.0) -> Summary | None:
    """Summarise values over repeats; folds share training data and get the corrected interval.

    Args:
        values: (seed, fold) -> value.
        test_train_ratio: See `corrected_interval`.

    Returns:
        The summary, or None where nothing was measured.

    Raises:
        ValueError: If a value is not finite or the ratio is not positive.
    """
    if not values:
        return None
    numbers = [values[repeat] for repeat in sorted(values, key=str)]
    if any(fold is not None for _, fold in values):
        return Summary(*corrected_interval(numbers, 0.95, test_train_ratio), len(numbers))
    return Summary(*mean_interval(numbers), len(numbers))


class Measured:
    """The measured values of one column of a study.

    Args:
        frame: A long frame (`to_frame`, `read_results`).
        column: The column; other columns' lines are left out.
        test_train_ratio: See `corrected_interval`.
    """

    def __init__(self, frame: pd.DataFrame, column: str, test_train_ratio: float = 1.0) -> None:
        self._ratio = test_train_ratio
        self._values: dict[tuple[str, str, str], dict[Repeat, float]] = {}
        lines = frame[frame["column"] == column]
        names = ("row", "task", "metric", "seed", "fold", "value")
        for row, task, metric, seed, fold, value in zip(*(lines[n] for n in names), strict=True):
            repeat = (int(seed), None if pd.isna(fold) else int(fold))
            self._values.setdefault((row, task, metric), {})[repeat] = float(value)

    def values(self, row: str, task: str, metric: str) -> dict[Repeat, float]:
        """Return (seed, fold) -> value; empty where nothing was measured."""
        return self._values.get((row, task, metric), {})

    def labels(self, task: str, metric: str) -> list[str]:
        """Return the labels with a measured "metric/label", in no order."""
        prefix = f"{metric}/"
        return list(
            {
                name.removeprefix(prefix)
                for _, found, name in self._values
                if found == task and name.startswith(prefix)
            }
        )

    def summary(self, row: str, task: str, metric: str) -> Summary | None:
        """Return mean and interval of one metric of one row, or None if not measured."""
        return summarise(self.values(row, task, metric), self._ratio)

    def difference(self, row: str, other: str, task: str, metric: str) -> Summary | None:
        """Return row - other, paired by seed and fold, or None if they share no repeat."""
        ours, theirs = self.values(row, task, metric), self.values(other, task, metric)
        shared = {repeat: ours[repeat] - theirs[repeat] for repeat in ours if repeat in theirs}
        return summarise(shared, self._ratio)

    @property
    def repeats(self) -> int:
        """Repeats of the row that has the most."""
        return max(map(len, self._values.values()), default=0)

    @property
    def folded(self) -> bool:
        """Whether there are folds: their values share training data."""
        return any(fold is not None for found in self._values.values() for _, fold in found)

    def relative_change(
        self,
        row: str,
        baseline: str,
        metrics: Mapping[str, Sequence[str]],
        signs: Mapping[str, int] | None = None,
    ) -> Summary | None:
        """Return delta_m in percent, computed within each repeat, then averaged.

        Repeats that miss a metric on either side, or where the baseline is (nearly) 0, have no
        relative change and are left out; n says how many remain.

        Args:
            row: The multi-task row.
            baseline: The single-task row.
            metrics: Task -> metrics.
            signs: Metric -> -1 where lower is better; +1 where it is not named.

        Returns:
            The summary, or None where no repeat remains.
        """
        better = {task: [(signs or {}).get(name, 1) for name in ms] for task, ms in metrics.items()}
        changes = {}
        for repeat in self.values(row, *_first(metrics)):
            multi, single = (
                {t: [self.values(r, t, m).get(repeat, math.nan) for m in ms] for t, ms in pairs}
                for r, pairs in ((row, metrics.items()), (baseline, metrics.items()))
            )
            try:
                change = relative_change(multi, single, better)
            except ValueError:
                continue
            if math.isfinite(change):
                changes[repeat] = change
        return summarise(changes, self._ratio)


def _first(metrics: Mapping[str, Sequence[str]]) -> tuple[str, str]:
    task = next(iter(metrics))
    return task, metrics[task][0]
