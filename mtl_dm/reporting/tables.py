"""The tables of a report as lists of text cells, whatever they are rendered to."""

from __future__ import annotations

import math
import re

import numpy as np

from mtl_dm.reporting.measured import Measured, Summary
from mtl_dm.reporting.quantities import Quantity
from mtl_dm.reporting.spec import Pair, ReportSpec

ABSENT = "—"
Table = list[list[str]]
"""The first line is the header."""


def natural_key(label: str) -> list[tuple[int, int, str]]:
    """Sort key that puts AU2 before AU10."""
    parts = re.findall(r"\d+|\D+", label)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def shown(summary: Summary | None, quantity: Quantity, signed: bool = False) -> str:
    """Format mean ± half width as the quantity says; no interval for a single value."""
    if summary is None:
        return ABSENT
    digits = quantity.digits
    mean = f"{quantity.scale * summary.mean:{'+' if signed else ''}z.{digits}f}"
    if math.isnan(summary.half_width):
        return mean
    return f"{mean} ± {quantity.scale * summary.half_width:.{digits}f}"


PERCENT = Quantity(-math.inf, math.inf, digits=1)
"""Δm, which is in percent already."""


def relative(measured: Measured, spec: ReportSpec, row: str) -> str:
    """Return Δm of a row against its single-task row, formatted; absent where it has none."""
    baseline = spec.baselines_of(row).single_task
    if baseline is None:
        return ABSENT
    signs = {name: spec.quantity(name).sign for names in spec.changes.values() for name in names}
    change = measured.relative_change(row, baseline, spec.changes, signs)
    return shown(change, PERCENT, signed=True)


def row_count(measured: Measured, spec: ReportSpec, row: str) -> int:
    """Return the number of repeats behind a row, of the metric that has most."""
    return max((len(measured.values(row, *pair)) for pair in spec.pairs), default=0)


def value_cell(measured: Measured, spec: ReportSpec, row: str, pair: Pair) -> str:
    """Return one measured value; it carries its own n where that is not its row's."""
    summary = measured.summary(row, *pair)
    several = summary is not None and summary.n != row_count(measured, spec, row)
    note = f" (n={summary.n})" if summary is not None and several else ""
    return shown(summary, spec.quantity(pair[1])) + note


def change_title(spec: ReportSpec) -> str:
    """Return the head of the column of Δm."""
    against = spec.single_task_rows
    return f"Δm vs {against[0]} (%)" if len(against) == 1 else "Δm (%)"


def main_table(measured: Measured, spec: ReportSpec) -> Table:
    """Return row x (each metric's mean ± half width, n, Δm against the row's single-task row)."""
    header = ["row", *(f"{task} {metric}" for task, metric in spec.pairs), "n"]
    table = [[*header, change_title(spec)]]
    for row in spec.rows:
        cells = [value_cell(measured, spec, row, pair) for pair in spec.pairs]
        n = row_count(measured, spec, row)
        table.append([row, *cells, str(n) if n else ABSENT, relative(measured, spec, row)])
    return table


def label_table(measured: Measured, spec: ReportSpec, task: str, metric: str) -> Table:
    """Return label x (base rate, F1 of always answering yes, mean of each row).

    The base rate p comes from the cells' `base_rate/<label>`. Answering yes everywhere has
    precision p and recall 1, so its F1 is 2 p / (1 + p): the level that costs no learning.
    """
    rates = base_rates(measured, spec, task)
    extra = ["base rate"] if rates else []
    extra += ["always yes"] if rates and metric == "f1" else []
    table = [["label", *extra, *spec.rows]]
    for label in sorted(measured.labels(task, metric), key=natural_key):
        rate = rates.get(label)
        known = [] if rate is None else [rate, 2.0 * rate / (1.0 + rate)][: len(extra)]
        cells = [f"{100 * value:.1f}" for value in known] or [ABSENT] * len(extra)
        for row in spec.rows:
            summary = measured.summary(row, task, f"{metric}/{label}")
            cells.append(shown(summary and summary.bare, spec.quantity(metric)))
        table.append([label, *cells])
    return table


def base_rates(measured: Measured, spec: ReportSpec, task: str) -> dict[str, float]:
    """Return label -> share of positives, the mean over all rows' cells that hold it."""
    rates = {}
    for label in measured.labels(task, "base_rate"):
        found = (measured.values(row, task, f"base_rate/{label}").values() for row in spec.rows)
        numbers = [number for values in found for number in values]
        if numbers:
            rates[label] = float(np.mean(numbers))
    return rates
