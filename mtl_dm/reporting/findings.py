"""What the numbers say, written by rule, so that a bad result is as visible as a good one."""

from __future__ import annotations

import math
from itertools import groupby

from mtl_dm.reporting.comparisons import Comparison, compare, comparisons, gives_levels
from mtl_dm.reporting.measured import Measured
from mtl_dm.reporting.spec import Pair, ReportSpec
from mtl_dm.reporting.tables import shown

LEAST_RISE = 0.1
"""How much more an error rate must be before it is called a collapse, beside being the double."""


def collapses(measured: Measured, spec: ReportSpec) -> list[str]:
    """Return a line for each row that fell to half of a row that it is compared with.

    Of a metric where lower is better, to its double, and of a rate by `LEAST_RISE` at least: the
    double of a small calibration error is a small one.
    """
    lines = []
    for row in spec.rows:
        for pair in spec.pairs if spec.watched is None else spec.watched:
            fallen = _collapse(measured, spec, row, pair)
            lines += [fallen] if fallen else []
    return lines


def _collapse(measured: Measured, spec: ReportSpec, row: str, pair: Pair) -> str:
    summary, quantity = measured.summary(row, *pair), spec.quantity(pair[1])
    over = []
    for other in spec.baselines_of(row).all:
        reference = measured.summary(other, *pair)
        if summary is None or reference is None or reference.mean <= 0:
            continue
        ratio = summary.mean / reference.mean
        rise = summary.mean - reference.mean
        far = not math.isfinite(quantity.high) or rise >= LEAST_RISE
        if ratio < 0.5 if quantity.higher_is_better else ratio > 2 and far:
            over.append(f"{other}'s {shown(reference, quantity)}")
    if not over:
        return ""
    bound = "below half" if quantity.higher_is_better else "above the double"
    return (
        f"**Collapse**: {row} has {' '.join(pair)} {shown(summary, quantity)}, {bound} of "
        f"{' and of '.join(over)}."
    )


def negative_transfers(measured: Measured, spec: ReportSpec) -> list[str]:
    """Return a line for each row that is decidedly worse than its single-task row somewhere."""
    lines = []
    for row in spec.rows:
        single = spec.baselines_of(row).single_task
        found = [] if single is None else compare(measured, spec, row, single, spec.pairs)
        worse = [each for each in found if each.decided and each.gain < 0]
        if worse:
            where = ", ".join(f"{each.what} by {_with_unit(each, each.size)}" for each in worse)
            lines.append(f"**Negative transfer**: {row} is worse than {single} in {where}.")
    return lines


def _with_unit(comparison: Comparison, text: str) -> str:
    return f"{text} {comparison.quantity.unit}".strip()


def warnings(measured: Measured, spec: ReportSpec) -> list[str]:
    """Return what a reader must not miss in one column; never empty.

    Args:
        measured: The column's values.
        spec: Names the metrics and what each row is compared with.
    """
    if gives_levels(measured, spec):
        decided = f"what is decided is decided over {spec.across}" if spec.across else "no verdict"
        return [*collapses(measured, spec), f"This column gives levels: {decided}."]
    found = collapses(measured, spec) + negative_transfers(measured, spec)
    if found:
        return found
    every = comparisons(measured, spec)
    if all(each.difference.n < 2 for each in every):
        return ["No row collapsed; whether one is worse than another needs a second repeat."]
    return ["No row collapsed and none is decidedly worse than its single-task row."]


def undecided(measured: Measured, spec: ReportSpec) -> list[str]:
    """Return a line for each row and the row it is compared with: what is not decided there.

    A column that gives levels has none.
    """
    if gives_levels(measured, spec):
        return []
    open_ones = [each for each in comparisons(measured, spec) if not each.decided]
    return [
        f"{row} minus {other}: " + ", ".join(f"{each.what} {each.signed}" for each in found)
        for (row, other), found in groupby(open_ones, lambda each: (each.row, each.other))
    ]
