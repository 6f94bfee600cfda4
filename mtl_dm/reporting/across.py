"""Verdicts paired over columns: what holds for one network after another.

Repeats of one column say how a network's seeds differ; whether a method helps networks is asked of
networks. So each column gives one number, its paired difference averaged over seeds, and these
numbers are tested.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.special import stdtr

from mtl_dm.reporting.measured import Measured, Summary
from mtl_dm.reporting.quantities import Quantity
from mtl_dm.reporting.spec import Pair, ReportSpec
from mtl_dm.reporting.statistics import mean_interval
from mtl_dm.reporting.tables import shown

LEAST = 3
"""Columns that must share two rows."""
EACH = "(each database's metric)"
"""Stands for the metric of a task where columns have different ones."""


class Across(NamedTuple):
    """One row minus another in one metric, over columns.

    Attributes:
        row: The row.
        other: What it is compared with.
        pair: (task, metric); the metric may be `EACH`.
        difference: Mean over columns and half width of Student's 95% interval.
        better: Columns in which the row is better.
        t_test: p of the paired t test over columns, two-sided.
        signed_rank: p of Wilcoxon's signed-rank test, two-sided.
        quantity: What the metric's numbers are.
    """

    row: str
    other: str
    pair: Pair
    difference: Summary
    better: int
    t_test: float
    signed_rank: float
    quantity: Quantity

    @property
    def gain(self) -> float:
        """The difference, positive where the row is better."""
        return self.quantity.sign * self.difference.mean

    @property
    def decided(self) -> bool:
        """Whether the interval excludes 0."""
        return self.difference.decided

    @property
    def text(self) -> str:
        """The difference with what speaks for it."""
        unit = f" {self.quantity.unit}".rstrip()
        size = shown(self.difference, self.quantity, signed=True)
        p = probability(self.t_test)
        sign = "" if p.startswith("<") else "= "
        return (
            f"{' '.join(self.pair)} ({size}{unit}, better in {self.better} of "
            f"{self.difference.n}, p {sign}{p})"
        )


def across(measured: Mapping[str, Measured], spec: ReportSpec) -> list[Across]:
    """Return each row minus what it is compared with, paired over columns.

    The metrics are those that speak for their tasks (`ReportSpec.headlines`); where columns have
    different ones of a task, and their numbers are of one kind, each column counts with its own. A
    column counts where both rows have a repeat in common and `ReportSpec.across_without` does not
    name it; fewer than three columns say nothing, nor do columns that are no samples
    (`ReportSpec.across`).

    Args:
        measured: The values of each column.
        spec: The plan of the report.
    """
    if not spec.across:
        return []
    counted = {name: values for name, values in measured.items() if name not in spec.across_without}
    judged = _judged(counted, spec)
    found = []
    for row in spec.rows:
        for other in spec.baselines_of(row).all:
            for pair, metrics in judged.items():
                each = [
                    difference.mean
                    for column, own in metrics.items()
                    if (difference := counted[column].difference(row, other, *own)) is not None
                ]
                if len(each) >= LEAST:
                    quantity = spec.quantity(next(iter(metrics.values()))[1])
                    found.append(paired(row, other, pair, each, quantity))
    return found


def _judged(columns: Iterable[str], spec: ReportSpec) -> dict[Pair, dict[str, Pair]]:
    """Return, by (task, metric) as it is called, the columns with the pair that each has of it."""
    pairs = {column: spec.for_column(column).headlines for column in columns}
    kinds: dict[str, set[Quantity]] = {}
    names: dict[str, set[str]] = {}
    for task, metric in (pair for own in pairs.values() for pair in own):
        kinds.setdefault(task, set()).add(spec.quantity(metric))
        names.setdefault(task, set()).add(metric)
    found: dict[Pair, dict[str, Pair]] = {}
    for column, own in pairs.items():
        for task, metric in own:
            # Numbers of two kinds are not averaged: they stand under their own names.
            mixed = len(names[task]) > 1 and len(kinds[task]) == 1
            found.setdefault((task, EACH if mixed else metric), {})[column] = (task, metric)
    return found


def paired(
    row: str, other: str, pair: Pair, differences: Sequence[float], quantity: Quantity
) -> Across:
    """Return what differences, one a column, say together.

    Args:
        row: The row.
        other: What it is compared with.
        pair: (task, metric).
        differences: Row minus other, at least two.
        quantity: What the metric's numbers are.
    """
    values = np.asarray(differences, np.float64)
    summary = Summary(*mean_interval(values), len(values))
    better = int((quantity.sign * values > 0).sum())
    ranks = float(stats.wilcoxon(values).pvalue) if values.any() else math.nan
    return Across(row, other, pair, summary, better, _t_test(values), ranks, quantity)


def _t_test(values: np.ndarray) -> float:
    """Return the two-sided p of a mean of 0; NaN where all values are one but for rounding."""
    spread = values.std(ddof=1)
    if spread <= 1e-9 * np.abs(values).max():
        return math.nan
    t = values.mean() / spread * math.sqrt(len(values))
    return 2.0 * float(stdtr(len(values) - 1, -abs(t)))


def probability(value: float) -> str:
    """Return p as text."""
    if math.isnan(value):
        return "-"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
