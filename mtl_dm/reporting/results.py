"""results.csv: one line a measured value, long format, the same bytes for the same cells."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from mtl_dm.files import write_atomically
from mtl_dm.reporting.quantities import Quantity, quantity_of
from mtl_dm.runs.schema import Cell

RESULT_COLUMNS = (
    "table",
    "column",
    "row",
    "task",
    "metric",
    "seed",
    "fold",
    "value",
    "preset",
    "dataset",
)
_TYPES = {
    name: {"seed": "int64", "fold": "Int64", "value": "float64"}.get(name, "object")
    for name in RESULT_COLUMNS
}
# Means of float32 numbers may miss 0 or 1 by a rounding error; anything further off is a mistake.
_ROUNDING = 1e-6

Quantities = Mapping[str, Quantity]
"""Metric -> what its numbers are, where its name does not say it."""


def _checked_value(value: float, metric: str, where: str, quantities: Quantities | None) -> float:
    # Fractions in [0, 1], correlations in [-1, 1] (cutting one off at 0 would hide a failure),
    # errors in their own unit.
    kind = (quantities or {}).get(metric.partition("/")[0]) or quantity_of(metric)
    if not (kind.low - _ROUNDING <= value <= kind.high + _ROUNDING and math.isfinite(value)):
        raise ValueError(
            f"{where}: {metric!r} must lie in [{kind.low:g}, {kind.high:g}], got {value!r}."
        )
    return min(max(value, kind.low), kind.high)


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    order = ["table", "column", "row", "task", "metric", "seed", "fold"]
    return frame.sort_values(order, na_position="first", kind="stable", ignore_index=True)


def to_frame(cells: Iterable[Cell], quantities: Quantities | None = None) -> pd.DataFrame:
    """Return the cells' measured values in long format, with `RESULT_COLUMNS`, sorted.

    Args:
        cells: Cells; metrics that are NaN were not measured and give no line.
        quantities: As in `ReportSpec`, for metrics whose names do not say what they are.

    Returns:
        The frame. Fractions are in [0, 1], correlations in [-1, 1], errors in their unit.

    Raises:
        ValueError: If a value is outside its range; the message names cell, task and metric.
    """
    lines = []
    for cell in cells:
        where = f"{cell.table}, {cell.column}, {cell.row}, seed {cell.seed}, fold {cell.fold}"
        for task, metrics in cell.metrics.items():
            for metric, raw in metrics.items():
                if math.isnan(raw):
                    continue
                value = _checked_value(raw, metric, f"{where}, {task}", quantities)
                head = (cell.table, cell.column, cell.row, task, metric, cell.seed, cell.fold)
                lines.append((*head, value, cell.preset, cell.dataset))
    return _sorted(pd.DataFrame(lines, columns=list(RESULT_COLUMNS)).astype(_TYPES))


def _require_columns(frame: pd.DataFrame, what: str) -> None:
    if tuple(frame.columns) != RESULT_COLUMNS:
        raise ValueError(
            f"{what} must have the columns {list(RESULT_COLUMNS)}, got {list(frame.columns)}."
        )


def write_results(path: str | Path, frame: pd.DataFrame) -> None:
    """Write `frame` to `path` as CSV, sorted and whole or not at all.

    Args:
        path: Target, `runs/<table>/results.csv`.
        frame: What `to_frame` gives.

    Raises:
        ValueError: If the columns are not `RESULT_COLUMNS`.
    """
    _require_columns(frame, "frame")
    write_atomically(path, _sorted(frame).to_csv(index=False, lineterminator="\n"))


def read_results(path: str | Path, quantities: Quantities | None = None) -> pd.DataFrame:
    """Read what `write_results` wrote, bit for bit.

    Args:
        path: A results.csv.
        quantities: As in `to_frame`.

    Returns:
        The frame, with the types `to_frame` gives.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the columns are not `RESULT_COLUMNS`, or a line is not readable or has a
            value out of range.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No results at {path}: run the study first.")
    # Text is read as it stands: a row may well be called "None" or "NA".
    try:
        raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    except ValueError as error:  # pandas' own are, and what is no UTF-8.
        raise ValueError(f"{path} is no table of results: {error}.") from error
    _require_columns(raw, path.name)
    try:
        folds = pd.array([int(text) if text else None for text in raw["fold"]], dtype="Int64")
        frame = raw.assign(fold=folds, value=[float(text) for text in raw["value"]]).astype(_TYPES)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise ValueError(f"{path} holds what is no number of its kind: {error}.") from error
    values = [
        _checked_value(value, metric, f"{path.name}, line {number}", quantities)
        for number, (value, metric) in enumerate(
            zip(frame["value"], frame["metric"], strict=True), 2
        )
    ]
    return frame.assign(value=values)
