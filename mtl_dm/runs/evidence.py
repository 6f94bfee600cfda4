"""What stands beside the cells: curves, calibration, relatedness, samples."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mtl_dm.files import MALFORMED, read_json, write_atomically
from mtl_dm.runs.schema import EVIDENCE_SUFFIX, Cell, CellName

_LOG = logging.getLogger(__name__)
_PARTS = ("history", "calibration", "relatedness", "samples")
_KEYS = ("table", "column", "row", "seed", "fold")

Content = Mapping[str, Any]
"""history, calibration, relatedness, samples, couplings and values, as
`mtl_dm.measuring.evidence.collect` says."""


class EvidenceFiles(NamedTuple):
    """Evidence by (column, row), a content for each repeat, in order; and the damaged files."""

    contents: dict[tuple[str, str], list[Content]]
    damaged: list[str]


def write_evidence(cell_file: Path, cell: CellName, content: Content | None) -> None:
    """Write a cell's evidence beside its file, which stays small.

    Args:
        cell_file: The file of the cell.
        cell: Its names, by which the evidence is found again.
        content: What to keep; None removes what an earlier training left.
    """
    path = cell_file.with_name(cell_file.stem + EVIDENCE_SUFFIX)
    if content is None:
        path.unlink(missing_ok=True)
    else:
        named = {**cell.names(), "evidence": content}
        write_atomically(path, json.dumps(named, allow_nan=False, separators=(",", ":")))


def read_evidence(folder: str | Path, cells: Sequence[Cell]) -> EvidenceFiles:
    """Read the evidence under `folder`/cells that belongs to one of `cells`.

    Cells made by older versions have none. Damaged files are skipped, logged and returned.

    Args:
        folder: The run folder.
        cells: The finished cells.
    """
    folder = Path(folder)
    wanted = {_key(cell.names()) for cell in cells}
    found: dict[tuple[Any, ...], Content] = {}
    damaged = []
    for path in sorted((folder / "cells").rglob(f"*{EVIDENCE_SUFFIX}")):
        name = path.relative_to(folder).as_posix()
        try:
            raw = read_json(path)
            key = _key(raw)
            content = {part: raw["evidence"][part] for part in _PARTS}
            # Older versions kept the first coupling only, as "relatedness", and no values.
            content["couplings"] = dict(raw["evidence"].get("couplings", {}))
            content["values"] = dict(raw["evidence"].get("values", {}))
            if key in wanted:
                found[key] = content
        except MALFORMED as error:
            _LOG.warning("Skipping the damaged evidence %s: %s", name, error)
            damaged.append(name)
    contents: dict[tuple[str, str], list[Content]] = {}
    for cell in sorted(cells, key=lambda cell: cell.order):
        key = _key(cell.names())
        if key in found:
            contents.setdefault((cell.column, cell.row), []).append(found[key])
    return EvidenceFiles(contents, damaged)


def _key(names: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(names[key] for key in _KEYS)
