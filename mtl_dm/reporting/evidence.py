"""Reading what stands beside the cells: curves, calibration, relatedness, samples."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mtl_dm.reporting.cells import EVIDENCE_SUFFIX, Cell

_LOG = logging.getLogger(__name__)
_PARTS = ("history", "calibration", "relatedness", "samples")

Content = Mapping[str, Any]
"""history, calibration, relatedness, samples and couplings, as
`mtl_dm.measuring.evidence.collect` says."""


class EvidenceFiles(NamedTuple):
    """Evidence by (column, row), a content for each repeat, in order; and the damaged files."""

    contents: dict[tuple[str, str], list[Content]]
    damaged: list[str]


def read_evidence(folder: str | Path, cells: Sequence[Cell]) -> EvidenceFiles:
    """Read the evidence under `folder`/cells that belongs to one of `cells`.

    Cells made by older versions have none. Damaged files are skipped, logged and returned.

    Args:
        folder: The run folder.
        cells: The finished cells.
    """
    folder = Path(folder)
    wanted = {(cell.table, cell.column, cell.row, *cell.repeat) for cell in cells}
    found: dict[tuple[Any, ...], Content] = {}
    damaged = []
    for path in sorted((folder / "cells").rglob(f"*{EVIDENCE_SUFFIX}")):
        name = path.relative_to(folder).as_posix()
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            key = tuple(raw[field] for field in ("table", "column", "row", "seed", "fold"))
            content = {part: raw["evidence"][part] for part in _PARTS}
            # Older versions kept the first coupling only, as "relatedness".
            content["couplings"] = dict(raw["evidence"].get("couplings", {}))
            if key in wanted:
                found[key] = content
        except (ValueError, KeyError, TypeError) as error:
            _LOG.warning("Skipping the damaged evidence %s: %s", name, error)
            damaged.append(name)
    contents: dict[tuple[str, str], list[Content]] = {}
    for cell in sorted(cells, key=lambda cell: (cell.seed, -1 if cell.fold is None else cell.fold)):
        key = (cell.table, cell.column, cell.row, *cell.repeat)
        if key in found:
            contents.setdefault((cell.column, cell.row), []).append(found[key])
    return EvidenceFiles(contents, damaged)
