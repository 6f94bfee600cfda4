"""Finished cells as small files that are committed, so that a study survives its machine.

One file a column, `experiments/results/<table>/<column>.json`, one line a cell: its values without
evidence, and the fingerprint of its configuration. A study that says so takes a cell up where the
fingerprint is that of its plan.

Command: python -m experiments.engine.records runs/coupling_study-full
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from experiments.engine.cell import StudyCell, key_of
from experiments.engine.fingerprint import fingerprint
from experiments.engine.options import main_guard
from mtl_dm.command_line import Parser
from mtl_dm.files import MALFORMED, read_json, write_atomically
from mtl_dm.runs.cells import file_safe
from mtl_dm.runs.reading import read_cells
from mtl_dm.runs.schema import Cell

RESULTS = Path(__file__).parents[1] / "results"
DIGITS = 6
TAKEN_FROM = "taken_from"
"""Entry of a cell's record that names the file it was taken from."""


def export(folder: str | Path, results: str | Path = RESULTS) -> list[Path]:
    """Write the finished cells of a study's folder into records; return their paths.

    Cells of an earlier record that the folder does not have stay in it. Cells that were
    themselves taken from a record are left as they stand there.

    Args:
        folder: Folder of the study, `runs/<table>` or `runs/<table>-<preset>`.
        results: Folder of the records.

    Raises:
        ValueError: If the folder has no finished cell, or an earlier record is damaged.
    """
    cells, _ = read_cells(folder)
    if not cells:
        raise ValueError(f"{folder} holds no finished cell.")
    paths = []
    for column in dict.fromkeys(cell.column for cell in cells):
        path = _path(Path(results), cells[0].table, column)
        of_column = [cell for cell in cells if cell.column == column]
        there = {_place(entry): entry for entry in _read(path)}
        fresh = (cell for cell in of_column if TAKEN_FROM not in cell.record)
        there.update({_place(entry): entry for entry in map(_entry, fresh)})
        write_atomically(path, _text(of_column[0], [there[place] for place in sorted(there)]))
        paths.append(path)
    return paths


def take_up(cells: Iterable[StudyCell], results: str | Path) -> list[StudyCell]:
    """Write the files of the cells that records have; return these cells.

    Args:
        cells: Cells without a file.
        results: Folder of the records.

    Raises:
        ValueError: If a record is damaged.
    """
    taken = []
    known: dict[Path, dict[Any, dict[str, Any]]] = {}
    for cell in cells:
        plan = cell.plan
        path = _path(Path(results), plan.table, plan.column)
        if path not in known:
            known[path] = {_place(entry): entry for entry in _read(path)}
        entry = known[path].get(_place(plan.names()))
        if entry is None or entry["fingerprint"] != fingerprint(plan.config):
            continue
        record = {**entry["made"], "config": plan.config, TAKEN_FROM: _shown(path)}
        found = Cell(
            **plan.names(),
            metrics=entry["metrics"],
            seconds=entry["seconds"],
            steps=entry["steps"],
            record=record,
        )
        write_atomically(plan.path(cell.folder), found.to_json())
        taken.append(cell)
    return taken


def notes(cells: Sequence[Cell]) -> list[str]:
    """Return what a report says about cells that were taken from records; Markdown.

    Args:
        cells: All cells of the report.
    """
    lines = []
    for column in dict.fromkeys(cell.column for cell in cells):
        taken = [c for c in cells if c.column == column and c.record.get(TAKEN_FROM)]
        if taken:
            rows = ", ".join(dict.fromkeys(cell.row for cell in taken))
            lines.append(
                f"{column}: {len(taken)} cells were not computed here but taken from the record "
                f"`{taken[0].record[TAKEN_FROM]}` ({rows})."
            )
    return lines


def _path(results: Path, table: str, column: str) -> Path:
    return results / table / f"{file_safe(column)}.json"


def _shown(path: Path) -> str:
    root = RESULTS.parents[1]
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _place(entry: Any) -> tuple[str, int, int]:
    return entry["row"], entry["seed"], -1 if entry["fold"] is None else entry["fold"]


def _entry(cell: Cell) -> dict[str, Any]:
    record = cell.record
    _, row, seed, fold = key_of(cell)
    return {
        "row": row,
        "seed": seed,
        "fold": fold,
        "preset": cell.preset,
        "fingerprint": fingerprint(record["config"]),
        "seconds": round(cell.seconds, 1),
        "steps": cell.steps,
        "metrics": {
            task: {
                name: None if math.isnan(value) else round(value, DIGITS)
                for name, value in values.items()
            }
            for task, values in cell.metrics.items()
        },
        "made": {name: record.get(name) for name in ("command", "commit", "versions")},
    }


def _text(cell: Cell, entries: Sequence[dict[str, Any]]) -> str:
    """Return a record's text, one line a cell: what changes is seen."""
    made: list[Any] = []
    lines = []
    for entry in entries:
        if entry["made"] not in made:
            made.append(entry["made"])
        lines.append(_line({**entry, "made": made.index(entry["made"])}))
    head = {"table": cell.table, "column": cell.column, "dataset": cell.dataset}
    body = ",\n".join(lines)
    shared = ",\n".join(map(_line, made))
    return f'{_line(head)[:-1]},\n"made":[\n{shared}\n],\n"cells":[\n{body}\n]}}\n'


def _line(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _read(path: Path) -> list[dict[str, Any]]:
    """Return the entries of a record, each with how it was made; none where there is no file."""
    if not path.is_file():
        return []
    try:
        content = read_json(path)
        return [{**entry, "made": content["made"][entry["made"]]} for entry in content["cells"]]
    except MALFORMED as error:
        raise ValueError(f"The record {path} is damaged ({error}); restore or delete it.") from None


def main() -> None:
    """Export the finished cells of a study's folder."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="folder of the study, runs/<table>[-<preset>]")
    parser.add_argument("--results", default=str(RESULTS), help="folder of the records")
    options = parser.parse_args()
    for path in export(options.folder, options.results):
        print(path)


if __name__ == "__main__":
    main_guard(main)
