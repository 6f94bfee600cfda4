"""Contact sheets: what the alignment did, to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from data_prep.faces.records import Record
from mtl_dm import faces

TILE = 128
COLUMNS = 10
MAX_TILES = 100
_CAPTION = 30
_GREY = 96


def sample(records: Sequence[Record], count: int = MAX_TILES) -> list[Record]:
    """Return at most `count` records, evenly spread."""
    if len(records) <= count:
        return list(records)
    return [records[round(i * (len(records) - 1) / (count - 1))] for i in range(count)]


def aligned_sheet(records: Sequence[Record], target: Path) -> bytes | None:
    """Return a PNG of aligned faces with their scores; None if there are none."""
    chosen = sample([record for record in records if record.reason is None])
    tiles = [
        _tile(target / str(record.aligned), (f"{record.score:.3f}", record.path))
        for record in chosen
    ]
    return _sheet(tiles)


def failures_sheet(records: Sequence[Record], source: Path) -> bytes | None:
    """Return a PNG of the images without an aligned face and the reasons; None if all have one."""
    chosen = sample([record for record in records if record.reason is not None])
    tiles = [_tile(source / record.path, (str(record.reason), record.path)) for record in chosen]
    return _sheet(tiles)


def _tile(path: Path, caption: tuple[str, str]) -> faces.Image:
    tile = np.full((TILE + _CAPTION, TILE, 3), 255, np.uint8)
    tile[:TILE] = _GREY
    try:
        image = faces.read_image(path)
    except (OSError, ValueError):
        image = None  # a grey field; the caption has the reason
    if image is not None:
        factor = TILE / max(image.shape[:2])
        width, height = (max(1, round(side * factor)) for side in image.shape[1::-1])
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        top, left = (TILE - height) // 2, (TILE - width) // 2
        tile[top : top + height, left : left + width] = small
    for row, text in enumerate(caption):
        # The drawing font has ASCII only; of a path the end tells more.
        text = text.encode("ascii", "replace").decode()
        text = text[-22:] if row else text[:22]
        place = (2, TILE + 12 + 13 * row)
        cv2.putText(tile, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.33, (0, 0, 0), 1, cv2.LINE_AA)
    return tile


def _sheet(tiles: list[faces.Image]) -> bytes | None:
    if not tiles:
        return None
    columns = min(COLUMNS, len(tiles))
    empty = np.full_like(tiles[0], 255)
    tiles = tiles + [empty] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    done, encoded = cv2.imencode(".png", cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))
    return encoded.tobytes() if done else None
