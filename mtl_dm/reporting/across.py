"""Verdicts paired over columns: what holds for one network after another.

Repeats of one column say how a network's seeds differ; whether a method helps networks is asked of
networks. So each column gives one number, its paired difference averaged over seeds, and these
numbers are tested.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.special import stdtr

from mtl_dm.reporting.measured import Measured, Summary
from mtl_dm.reporting.quantities import Quantity
from mtl_dm.reporting.spec import Pair, ReportSpec
from mtl_dm.reporting.statistics import mean_interval
from mtl_dm.reporting.tables import Table, shown

LEAST = 3
"""Columns that must share two rows."""


class Across(NamedTuple):
    """One row minus another in one metric, over columns.

    Attributes:
        row: The row.
        other: What it is compared with.
        pair: (task, metric).
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

    The metrics are those that speak for their tasks (`ReportSpec.headlines`). A column counts
    where both rows have a repeat in common; fewer than three columns say nothing, nor do columns
    that are no samples (`ReportSpec.across`).

    Args:
        measured: The values of each column.
        spec: The plan of the report.
    """
    if not spec.across:
        return []
    plans = {column: spec.for_column(column) for column in measured}
    pairs = list(dict.fromkeys(pair for plan in plans.values() for pair in plan.headlines))
    found = []
    for row in spec.rows:
        for other in spec.baselines_of(row).all:
            for pair in pairs:
                each = [
                    difference.mean
                    for column, values in measured.items()
                    if pair in plans[column].headlines
                    and (difference := values.difference(row, other, *pair)) is not None
                ]
                if len(each) >= LEAST:
                    found.append(paired(row, other, pair, each, spec.quantity(pair[1])))
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


def sentences(found: Sequence[Across], spec: ReportSpec) -> list[str]:
    """Return what holds and what does not, a sentence each; Markdown.

    Args:
        found: Of `across`.
        spec: The plan of the report.
    """
    said = []
    for row in spec.rows:
        for other in spec.baselines_of(row).all:
            group = [each for each in found if (each.row, each.other) == (row, other)]
            if group:
                said.append(_sentence(group, spec) + _repair(group, found, spec))
    return said


def over_heading(found: Sequence[Across], spec: ReportSpec) -> str:
    """Return the heading of the table, "Over 7 networks"."""
    counts = sorted({each.difference.n for each in found})
    return f"Over {' to '.join(map(str, {counts[0]: 0, counts[-1]: 0}))} {spec.across}"


def across_table(found: Sequence[Across]) -> Table:
    """Return a line a comparison; empty if there is none."""
    if not found:
        return []
    head = ["row minus row", "metric", "difference", "columns better", "p (t)", "p (signed rank)"]
    return [
        head,
        *(
            [
                f"{each.row} minus {each.other}",
                " ".join(each.pair),
                shown(each.difference, each.quantity, signed=True) + (" *" if each.decided else ""),
                f"{each.better} of {each.difference.n}",
                probability(each.t_test),
                probability(each.signed_rank),
            ]
            for each in found
        ),
    ]


def note(spec: ReportSpec) -> str:
    """Return what the table's numbers are; Markdown."""
    return (
        f"Each of the {spec.across} gives one number, its difference paired by repeat and "
        "averaged over repeats. Mean and half width of Student's 95% interval over columns, in "
        "points where the metric is a fraction; * marks an interval that excludes 0. p: paired t "
        "test and Wilcoxon's signed-rank test, both over columns and two-sided, without correction "
        "for the number of comparisons. The columns share their data: the verdict is about other "
        f"{spec.across} on these data, not about other data."
    )


def probability(value: float) -> str:
    """Return p as text."""
    if math.isnan(value):
        return "-"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _sentence(group: Sequence[Across], spec: ReportSpec) -> str:
    row, other = group[0].row, group[0].other
    lower, higher, open_ones = _sorted(group)
    if row == spec.uncoupled_row and other == spec.baseline_row:
        clauses = ("yes in", lower), ("no, a gain, in", higher), ("not decided in", open_ones)
        return f"Negative transfer under `{row}` against `{other}`: {_joined(clauses)}."
    clauses = ("better in", higher), ("worse in", lower), ("not decided in", open_ones)
    return f"`{row}` against `{other}`: {_joined(clauses)}."


def _repair(group: Sequence[Across], found: Sequence[Across], spec: ReportSpec) -> str:
    """Return what becomes of negative transfer, where the row is compared with the uncoupled."""
    row, other = group[0].row, group[0].other
    single = spec.baselines_of(row).single_task
    if other != spec.uncoupled_row or single is None:
        return ""
    lost = [
        each.pair
        for each in found
        if (each.row, each.other) == (other, single) and each.decided and each.gain < 0
    ]
    against = {each.pair: each for each in found if (each.row, each.other) == (row, single)}
    words: dict[str, list[str]] = {}
    for each in group:
        if each.pair in lost and each.pair in against:
            words.setdefault(_outcome(each, against[each.pair]), []).append(" ".join(each.pair))
    parts = [f"{word} in {', '.join(names)}" for word, names in words.items()]
    return f" Negative transfer: {'; '.join(parts)}." if parts else ""


def _outcome(won: Across, left: Across) -> str:
    if not (won.decided and won.gain > 0):
        return "not repaired"
    return "repaired in part" if left.decided and left.gain < 0 else "repaired"


def _sorted(group: Sequence[Across]) -> tuple[list[Across], list[Across], list[Across]]:
    decided = [each for each in group if each.decided]
    return (
        [each for each in decided if each.gain < 0],
        [each for each in decided if each.gain > 0],
        [each for each in group if not each.decided],
    )


def _joined(clauses: Sequence[tuple[str, Sequence[Across]]]) -> str:
    return "; ".join(
        f"{word} {', '.join(each.text for each in group)}" for word, group in clauses if group
    )
