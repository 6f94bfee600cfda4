"""The paper's numbers, to stand beside one column of ours."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from mtl_dm.reporting.published import published
from mtl_dm.reporting.quantities import quantity_of
from mtl_dm.reporting.spec import Pair, ReportSpec
from mtl_dm.reporting.statistics import relative_change
from mtl_dm.reporting.tables import ABSENT, Table


class Printed(NamedTuple):
    """One column of the paper under our names.

    Attributes:
        name: As the paper calls it.
        pairs: (task, metric) that it prints, in its order.
        cells: (row, task, metric) -> the printed number.
        changes: Row -> Δm, computed from the printed numbers.
    """

    name: str
    pairs: list[Pair]
    cells: Mapping[tuple[str, str, str], str]
    changes: Mapping[str, str]

    def row(self, row: str) -> str:
        """Return all that is printed in a row, in one cell."""
        texts = [self.cells.get((row, *pair)) for pair in self.pairs]
        known = [text for text in texts if text is not None]
        change = f" (Δm {self.changes[row]})" if row in self.changes else ""
        return " / ".join(known) + change if known else ABSENT


def printed_columns(spec: ReportSpec, column: str) -> list[Printed]:
    """Return the paper's columns that stand beside one of ours; empty if there are none.

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
    ours = {theirs: task for task, theirs in spec.published_tasks.items()}
    frame = frame.assign(task=[ours.get(task, task) for task in frame["task"]])
    return [_printed(spec, name, frame[frame["column"] == name]) for name in names]


def _printed(spec: ReportSpec, name: str, part: pd.DataFrame) -> Printed:
    by_row = {row: part[part["row"] == spec.published_rows.get(row, row)] for row in spec.rows}
    cells = {
        (row, task, metric): _number(metric, value, spread)
        for row, lines in by_row.items()
        for task, metric, value, spread in zip(
            *(lines[key] for key in ("task", "metric", "value", "spread")), strict=True
        )
    }
    changes = {}
    for row, lines in by_row.items():
        single = by_row.get(spec.baselines_of(row).single_task or "")
        change = None if single is None else _change(lines, single)
        if change is not None:
            changes[row] = f"{change:+z.1f}"
    pairs = zip(part["task"], part["metric"], strict=True)
    return Printed(name, list(dict.fromkeys(pairs)), cells, changes)


def _number(metric: str, value: float, spread: float) -> str:
    quantity = quantity_of(metric)
    if math.isnan(spread):
        return f"{quantity.scale * value:.{quantity.digits}f}"
    # The paper rounds where it gives a spread.
    digits = max(quantity.digits - 1, 0)
    return f"{quantity.scale * value:.{digits}f} ± {quantity.scale * spread:.{digits}f}"


def _change(lines: pd.DataFrame, single: pd.DataFrame) -> float | None:
    """Return Δm in percent; None unless both rows print the same metrics."""
    multi, base = _by_task(lines), _by_task(single)
    names = {task: list(found) for task, found in multi.items()}
    if not multi or names != {task: list(found) for task, found in base.items()}:
        return None
    return relative_change(
        {task: list(found.values()) for task, found in multi.items()},
        {task: list(found.values()) for task, found in base.items()},
        {task: [quantity_of(name).sign for name in found] for task, found in names.items()},
    )


def _by_task(lines: pd.DataFrame) -> dict[str, dict[str, float]]:
    return {
        str(task): dict(zip(group["metric"], group["value"], strict=True))
        for task, group in lines.groupby("task", sort=False)
    }


def published_table(spec: ReportSpec, column: str) -> Table:
    """Return row x the paper's columns, all that a row prints in one cell; empty if there is none.

    Raises:
        ValueError: If the spec names a table or column that the paper does not have.
    """
    columns = printed_columns(spec, column)
    heads = [
        f"{each.name}: {' / '.join(f'{task} {metric}' for task, metric in each.pairs)}"
        for each in columns
    ]
    lines = [[row, *(each.row(row) for each in columns)] for row in spec.rows]
    shown = [line for line in lines if set(line[1:]) != {ABSENT}]
    return [["row", *heads], *shown] if columns else []
