"""Reading run records: one JSON file a finished cell, `runs/<table>/cells/**/*.json`."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

_LOG = logging.getLogger(__name__)

EVIDENCE_SUFFIX = ".evidence.json"
"""Ending of the files beside the cells' that hold what a page shows beside numbers."""

Repeat = tuple[int, int | None]
"""(seed, fold); fold is None where there is no cross validation."""


@dataclass(frozen=True)
class Cell:
    """One finished cell of a study: one row and column, trained with one seed (on one fold).

    Args:
        table: The study, "table2".
        column: Databases and network; may hold spaces and slashes.
        row: The method.
        seed: Seed, or the number of the repeat in cross validation.
        fold: Fold, or None.
        preset: "demo", "paper" ...
        dataset: Name with its kind in parentheses, "clothing_attributes (real)".
        metrics: Task -> metric -> value; per-label metrics are called "f1/AU1".
        seconds: Wall-clock time of the cell.
        steps: Training steps.
        record: "command", "commit", "versions" and whatever else the runner keeps.
    """

    table: str
    column: str
    row: str
    seed: int
    fold: int | None
    preset: str
    dataset: str
    metrics: Mapping[str, Mapping[str, float]]
    seconds: float
    steps: int
    record: Mapping[str, Any] = field(default_factory=dict)

    @property
    def repeat(self) -> Repeat:
        """What pairs this cell with the other rows' cells."""
        return self.seed, self.fold


class CellFiles(NamedTuple):
    """What was found in a run folder: the readable cells, and the files that were damaged."""

    cells: list[Cell]
    damaged: list[str]


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is no integer")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"{value!r} is no text")
    return value


def _metrics(value: Any) -> dict[str, dict[str, float]]:
    # null stands for NaN, which strict JSON cannot write: not measured.
    return {
        _text(task): {
            _text(name): math.nan if number is None else float(number)
            for name, number in metrics.items()
        }
        for task, metrics in value.items()
    }


def _parse(text: str) -> Cell:
    raw = json.loads(text)
    return Cell(
        table=_text(raw["table"]),
        column=_text(raw["column"]),
        row=_text(raw["row"]),
        seed=_integer(raw["seed"]),
        fold=None if raw["fold"] is None else _integer(raw["fold"]),
        preset=_text(raw["preset"]),
        dataset=_text(raw["dataset"]),
        metrics=_metrics(raw["metrics"]),
        seconds=float(raw["seconds"]),
        steps=_integer(raw["steps"]),
        record=dict(raw["record"]),
    )


def read_cells(folder: str | Path, table: str | None = None) -> CellFiles:
    """Read every cell under `folder`/cells; names come from the JSON, never from the path.

    Damaged files (broken JSON, missing or mistyped entries) are skipped, logged and returned: a
    run that was killed must still give a report.

    Args:
        folder: The run folder, `runs/<table>`; one without cells gives none.
        table: The study; None takes the first cell's.

    Returns:
        The cells, sorted by column, row, seed and fold, and the damaged files' relative paths.

    Raises:
        ValueError: If a cell belongs to another table, or two files hold the same cell.
    """
    folder = Path(folder)
    found: dict[tuple[Any, ...], tuple[Cell, str]] = {}
    damaged: list[str] = []
    for path in sorted((folder / "cells").rglob("*.json")):
        if path.name.endswith(EVIDENCE_SUFFIX):
            continue
        name = path.relative_to(folder).as_posix()
        try:
            cell = _parse(path.read_text(encoding="utf-8"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            _LOG.warning("Skipping the damaged cell %s: %s", name, error)
            damaged.append(name)
            continue
        table = table or cell.table
        if cell.table != table:
            raise ValueError(f"{name} is a cell of table {cell.table!r}, expected {table!r}.")
        key = (cell.column, cell.row, cell.seed, -1 if cell.fold is None else cell.fold)
        if key in found:
            raise ValueError(f"{name} and {found[key][1]} hold the same cell {key}.")
        found[key] = cell, name
    return CellFiles([found[key][0] for key in sorted(found)], damaged)
