"""A cell of a study: one file a finished cell, the same for who writes and who reads it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from mtl_dm.files import parse_json, strict_json

EVIDENCE_SUFFIX = ".evidence.json"
"""Ending of the files beside the cells' that hold what a page shows beside numbers."""

Repeat = tuple[int, int | None]
"""(seed, fold); fold is None where there is no cross validation."""
Metrics = Mapping[str, Mapping[str, float]]
"""Task -> metric -> value."""


@dataclasses.dataclass(frozen=True)
class CellName:
    """What tells a cell from all others.

    Attributes:
        table: The study, "table2".
        column: Databases and network; may hold spaces and slashes.
        row: The method.
        seed: Seed, or the number of the repeat in cross validation.
        fold: Fold, or None.
        preset: "demo", "paper" ...
        dataset: Name with its kind in parentheses, "clothing_attributes (real)".
    """

    table: str
    column: str
    row: str
    seed: int
    fold: int | None
    preset: str
    dataset: str

    @property
    def repeat(self) -> Repeat:
        """What pairs this cell with the other rows' cells."""
        return self.seed, self.fold

    @property
    def order(self) -> tuple[str, str, int, int]:
        """Column, row, seed and fold, to sort cells by; unique within a table."""
        return self.column, self.row, self.seed, -1 if self.fold is None else self.fold

    def names(self) -> dict[str, Any]:
        """Return the names alone, as JSON values."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(CellName)}


@dataclasses.dataclass(frozen=True)
class Cell(CellName):
    """One finished cell: one row and column, trained with one seed (on one fold).

    Attributes:
        metrics: Task -> metric -> value; per-label metrics are called "f1/AU1".
        seconds: Wall-clock time of the cell.
        steps: Training steps.
        record: "command", "commit", "versions" and whatever else the runner keeps.
    """

    metrics: Metrics
    seconds: float
    steps: int
    record: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def to_json(self) -> str:
        """Return the text of the cell's file; a value that is not finite becomes null."""
        rest = {"metrics": self.metrics, "seconds": self.seconds, "steps": self.steps}
        return strict_json({**self.names(), **rest, "record": self.record})


def parse_cell(text: str) -> Cell:
    """Return the cell that a file's text holds.

    Raises:
        ValueError: If the text is no JSON, or an entry is missing or of another type.
    """
    try:
        raw = parse_json(text)
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
    except KeyError as error:
        raise ValueError(f"the cell has no entry {error}") from None
    except (TypeError, AttributeError, ArithmeticError, IndexError) as error:
        raise ValueError(f"an entry of the cell is of another type: {error}") from None


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
