"""The tables of a report as lists of text cells, whatever they are rendered to."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from mtl_dm.reporting.measured import Measured, Summary
from mtl_dm.reporting.published import published
from mtl_dm.reporting.spec import ReportSpec
from mtl_dm.reporting.statistics import relative_change

ABSENT = "—"
Table = list[list[str]]
"""The first line is the header."""


def natural_key(label: str) -> list[tuple[int, int, str]]:
    """Sort key that puts AU2 before AU10."""
    parts = re.findall(r"\d+|\D+", label)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def percent(summary: Summary | None, scale: float = 100.0, signed: bool = False) -> str:
    """Format mean ± half width with one decimal; no interval for a single value."""
    if summary is None:
        return ABSENT
    mean = f"{scale * summary.mean:{'+' if signed else ''}z.1f}"
    if math.isnan(summary.half_width):
        return mean
    return f"{mean} ± {scale * summary.half_width:.1f}"


def main_table(measured: Measured, spec: ReportSpec) -> Table:
    """Return row x (metric mean ± half width in percent, n, delta_m against the baseline).

    A cell whose number of repeats is not the row's carries its own n.
    """
    header = ["row", *(f"{task} {metric}" for task, metric in spec.pairs), "n"]
    table = [[*header, f"Δm vs {spec.baseline_row} (%)"]]
    for row in spec.rows:
        summaries = [measured.summary(row, task, metric) for task, metric in spec.pairs]
        n = max((summary.n for summary in summaries if summary), default=0)
        cells = [
            percent(summary) + (f" (n={summary.n})" if summary and summary.n != n else "")
            for summary in summaries
        ]
        change = measured.relative_change(
            row, spec.baseline_row, spec.change_metrics or spec.main_metrics
        )
        last = ABSENT if row == spec.baseline_row else percent(change, scale=1.0, signed=True)
        table.append([row, *cells, str(n) if n else ABSENT, last])
    return table


def label_table(measured: Measured, spec: ReportSpec, task: str, metric: str) -> Table:
    """Return label x (base rate, F1 of always answering yes, mean of each row), in percent.

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
            cells.append(f"{100 * summary.mean:.1f}" if summary else ABSENT)
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


def _published_cell(lines: pd.DataFrame, baseline: pd.DataFrame) -> str:
    texts = [
        f"{100 * value:.1f}" if math.isnan(spread) else f"{100 * value:.0f} ± {100 * spread:.0f}"
        for value, spread in zip(lines["value"], lines["spread"], strict=True)
    ]
    if not texts:
        return ABSENT
    multi, single = _by_task(lines), _by_task(baseline)
    shape = {task: len(values) for task, values in multi.items()}
    if lines is baseline or shape != {task: len(values) for task, values in single.items()}:
        return " / ".join(texts)
    return f"{' / '.join(texts)} (Δm {relative_change(multi, single):+z.1f})"


def _by_task(lines: pd.DataFrame) -> Mapping[str, list[float]]:
    return {str(task): group["value"].tolist() for task, group in lines.groupby("task", sort=False)}


def published_table(spec: ReportSpec, column: str) -> Table:
    """Return the paper's numbers that stand beside one of our columns; empty if there are none.

    Raises:
        ValueError: If the spec names a table or column that the paper does not have.
    """
    names = spec.published_columns.get(column, ())
    if spec.published_table is None or not names:
        return []
    frame = published(spec.published_table)
    unknown = sorted(set(names) - set(frame["column"]))
    if unknown:
        known = list(dict.fromkeys(frame["column"]))
        raise ValueError(f"published_columns names {unknown}. Known: {known}.")
    table = [["row"]] + [[row] for row in spec.rows]
    for name in names:
        part = frame[frame["column"] == name]
        metrics = dict.fromkeys(part["task"] + " " + part["metric"])
        table[0].append(f"{name}: {' / '.join(metrics)}")
        by_row = {row: part[part["row"] == spec.published_rows.get(row, row)] for row in spec.rows}
        baseline = by_row.get(spec.baseline_row, part[:0])
        for line in table[1:]:
            line.append(_published_cell(by_row[line[0]], baseline))
    return [table[0]] + [line for line in table[1:] if set(line[1:]) != {ABSENT}]
