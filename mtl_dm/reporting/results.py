"""results.csv: one line a measured value, long format, the same bytes for the same cells."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from mtl_dm.files import write_atomically
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


def _lower_bound(metric: str) -> float:
    # The results contract asks for fractions in [0, 1]; the concordance correlation coefficient
    # is the one metric whose own range is [-1, 1], and cutting it off at 0 would hide a failure.
    return -1.0 if "ccc" in metric.split("/")[0].split("_") else 0.0


def _checked_value(value: float, metric: str, where: str) -> float:
    low = _lower_bound(metric)
    if not low - _ROUNDING <= value <= 1.0 + _ROUNDING:
        raise ValueError(f"{where}: {metric!r} must lie in [{low:g}, 1], got {value!r}.")
    return min(max(value, low), 1.0)


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    order = ["table", "column", "row", "task", "metric", "seed", "fold"]
    return frame.sort_values(order, na_position="first", kind="stable", ignore_index=True)


def to_frame(cells: Iterable[Cell]) -> pd.DataFrame:
    """Return the cells' measured values in long format, with `RESULT_COLUMNS`, sorted.

    Args:
        cells: Cells; metrics that are NaN were not measured and give no line.

    Returns:
        The frame. Values are fractions in [0, 1], except CCC, which is in [-1, 1].

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
                value = _checked_value(raw, metric, f"{where}, {task}")
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


def read_results(path: str | Path) -> pd.DataFrame:
    """Read what `write_results` wrote, bit for bit.

    Args:
        path: A results.csv.

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
    raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    _require_columns(raw, path.name)
    folds = [int(text) if text else None for text in raw["fold"]]
    values = [
        _checked_value(float(text), metric, f"{path.name}, line {number}")
        for number, (text, metric) in enumerate(zip(raw["value"], raw["metric"], strict=True), 2)
    ]
    return raw.assign(fold=pd.array(folds, dtype="Int64"), value=values).astype(_TYPES)
