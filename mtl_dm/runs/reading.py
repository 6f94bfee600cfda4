"""Reading the cells of a run folder, `runs/<table>/cells/**/*.json`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

from mtl_dm.runs.schema import EVIDENCE_SUFFIX, Cell, parse_cell

_LOG = logging.getLogger(__name__)


class CellFiles(NamedTuple):
    """What was found in a run folder: the readable cells, and the files that were damaged."""

    cells: list[Cell]
    damaged: list[str]


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
    found: dict[tuple[str, str, int, int], tuple[Cell, str]] = {}
    damaged: list[str] = []
    for path in sorted((folder / "cells").rglob("*.json")):
        if path.name.endswith(EVIDENCE_SUFFIX):
            continue
        name = path.relative_to(folder).as_posix()
        try:
            cell = parse_cell(path.read_text(encoding="utf-8"))
        except ValueError as error:
            _LOG.warning("Skipping the damaged cell %s: %s", name, error)
            damaged.append(name)
            continue
        table = table or cell.table
        if cell.table != table:
            raise ValueError(f"{name} is a cell of table {cell.table!r}, expected {table!r}.")
        if cell.order in found:
            raise ValueError(f"{name} and {found[cell.order][1]} hold the same cell {cell.order}.")
        found[cell.order] = cell, name
    return CellFiles([found[key][0] for key in sorted(found)], damaged)
