"""What the numbers say, written by rule, so that a bad result is as visible as a good one."""

from __future__ import annotations

from mtl_dm.reporting.measured import Measured, Summary
from mtl_dm.reporting.spec import ReportSpec
from mtl_dm.reporting.tables import Table, percent


def comparison_table(measured: Measured, spec: ReportSpec, other: str) -> Table:
    """Return row x metric: the paired difference to `other` in points; empty if there is none.

    A difference whose 95% interval excludes 0 carries a star.
    """
    table = [[f"minus {other}", *(f"{task} {metric}" for task, metric in spec.pairs)]]
    for row in spec.rows:
        # Otherwise the two baselines would be compared twice, once in each direction.
        if row in (other, spec.baseline_row):
            continue
        found = [measured.difference(row, other, task, metric) for task, metric in spec.pairs]
        if any(found):
            table.append([row, *map(_starred, found)])
    return table if len(table) > 1 else []


def _starred(difference: Summary | None) -> str:
    text = percent(difference, signed=True)
    return f"{text} *" if difference is not None and difference.decided else text


def collapses(measured: Measured, spec: ReportSpec) -> list[str]:
    """Return a line for each row whose attribute metric is below half of the uncoupled row's."""
    task, metric = spec.attribute_task, spec.attribute_metric
    reference = measured.summary(spec.uncoupled_row, task, metric) if task else None
    if task is None or reference is None:
        return []
    lines = []
    for row in spec.rows:
        summary = measured.summary(row, task, metric)
        if summary is not None and summary.mean < 0.5 * reference.mean:
            lines.append(
                f"**Collapse**: {row} has {task} {metric} {percent(summary)}, below half of "
                f"{spec.uncoupled_row}'s {percent(reference)}."
            )
    return lines


def negative_transfers(measured: Measured, spec: ReportSpec) -> list[str]:
    """Return a line for each row that is below the single-task baseline somewhere.

    Only differences whose interval excludes 0 are called negative transfer; the others are named
    as undecided.
    """
    lines = []
    for row in (row for row in spec.rows if row != spec.baseline_row):
        decided: list[str] = []
        undecided: list[str] = []
        for task, metric in spec.pairs:
            difference = measured.difference(row, spec.baseline_row, task, metric)
            if difference is not None and difference.mean < 0:
                size = percent(difference._replace(mean=-difference.mean))
                target = decided if difference.decided else undecided
                target.append(f"{task} {metric} by {size}")
        if decided:
            lines.append(_below("**Negative transfer**", row, spec.baseline_row, decided))
        if undecided:
            name = "Negative transfer not decided"
            lines.append(_below(name, row, spec.baseline_row, undecided))
    return lines


def _below(name: str, row: str, baseline: str, where: list[str]) -> str:
    return f"{name}: {row} is below {baseline} in {', '.join(where)} points."


def warnings(measured: Measured, spec: ReportSpec) -> list[str]:
    """Return what a reader must not miss in one column; never empty.

    Args:
        measured: The column's values.
        spec: Names the two baselines, the metrics and the attribute task.
    """
    found = collapses(measured, spec) + negative_transfers(measured, spec)
    return found or [
        f"No row's {spec.attribute_metric} collapsed and none is below {spec.baseline_row}, "
        "as far as rows share seeds with the baselines."
    ]
