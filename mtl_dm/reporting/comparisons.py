"""Rows compared with the rows they are compared with, repeat by repeat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mtl_dm.reporting.measured import Measured, Summary
from mtl_dm.reporting.quantities import Quantity
from mtl_dm.reporting.spec import Pair, ReportSpec
from mtl_dm.reporting.tables import Table, shown

FEW = 2
"""Repeats of a column that decide nothing where verdicts are paired over columns."""


class Comparison(NamedTuple):
    """One row minus another in one metric, paired by seed and fold.

    Attributes:
        row: The row.
        other: What it is compared with.
        pair: (task, metric).
        difference: Mean and 95% interval of the paired differences.
        quantity: What the metric's numbers are.
    """

    row: str
    other: str
    pair: Pair
    difference: Summary
    quantity: Quantity

    @property
    def what(self) -> str:
        """The metric with its task."""
        return " ".join(self.pair)

    @property
    def gain(self) -> float:
        """The difference, positive where the row is better."""
        return self.quantity.sign * self.difference.mean

    @property
    def decided(self) -> bool:
        """Whether the interval excludes 0."""
        return self.difference.decided

    @property
    def size(self) -> str:
        """How large the difference is, without a sign or a unit."""
        return shown(self.difference._replace(mean=abs(self.difference.mean)), self.quantity)

    @property
    def signed(self) -> str:
        """The difference with its sign, without a unit."""
        return shown(self.difference, self.quantity, signed=True)


def gives_levels(measured: Measured, spec: ReportSpec) -> bool:
    """Whether a column gives levels alone: nothing is decided, or it is over columns.

    Args:
        measured: The column's values.
        spec: The plan of the column.
    """
    return bool(spec.levels) or (bool(spec.across) and measured.repeats <= FEW)


def compare(
    measured: Measured, spec: ReportSpec, row: str, other: str, pairs: Sequence[Pair]
) -> list[Comparison]:
    """Return a row's comparisons with another one, where they share a repeat."""
    found = []
    for pair in pairs:
        difference = measured.difference(row, other, *pair)
        if difference is not None:
            found.append(Comparison(row, other, pair, difference, spec.quantity(pair[1])))
    return found


def comparisons(measured: Measured, spec: ReportSpec) -> list[Comparison]:
    """Return every comparison of the main table that the plan asks for."""
    return [
        comparison
        for row in spec.rows
        for other in spec.baselines_of(row).all
        for comparison in compare(measured, spec, row, other, spec.pairs)
    ]


def comparison_table(measured: Measured, spec: ReportSpec, other: str) -> Table:
    """Return row x metric: the paired difference to `other`; empty if there is none.

    A difference whose 95% interval excludes 0 carries a star. A column that gives levels has none.
    """
    if gives_levels(measured, spec):
        return []
    table = [[f"minus {other}", *(f"{task} {metric}" for task, metric in spec.pairs)]]
    for row in spec.rows:
        if other not in spec.baselines_of(row).all:
            continue
        found = [measured.difference(row, other, *pair) for pair in spec.pairs]
        if any(found):
            cells = [
                _starred(difference, spec.quantity(metric))
                for difference, (_, metric) in zip(found, spec.pairs, strict=True)
            ]
            table.append([row, *cells])
    return table if len(table) > 1 else []


def _starred(difference: Summary | None, quantity: Quantity) -> str:
    text = shown(difference, quantity, signed=True)
    return f"{text} *" if difference is not None and difference.decided else text
