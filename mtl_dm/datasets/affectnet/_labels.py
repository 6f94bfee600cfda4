"""What both releases of AffectNet annotate, and how they write it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mtl_dm.datasets.reading import Box, ClassMap, Row, Skipped, number
from mtl_dm.tasks import EXPRESSIONS, Task

TASKS = (
    Task.multiclass("expression", EXPRESSIONS),
    Task.regression("valence_arousal", ("valence", "arousal"), bounds=(-1, 1)),
)

CLASSES = ClassMap(
    "expression",
    EXPRESSIONS,
    {
        "0": "neutral",
        "1": "happiness",
        "2": "sadness",
        "3": "surprise",
        "4": "fear",
        "5": "disgust",
        "6": "anger",
        "7": None,
        "8": None,
        "9": None,
        "10": None,
    },
    {"7": "contempt", "8": "none", "9": "uncertain", "10": "non-face"},
)

UNKNOWN = -2.0
"""Valence or arousal of a face that was not annotated for it."""


def to_row(path: str, expression: str, valence: str, arousal: str, where: str) -> Row | Skipped:
    """Return what one annotated image stands for.

    Raises:
        ValueError: If an id or a value is not one of the release's.
    """
    values = [
        number(name, text, -1, 1, missing=[UNKNOWN])
        for name, text in (("valence", valence), ("arousal", arousal))
    ]
    label = CLASSES.index(expression)
    if label is None:
        return Skipped(path, f"{where}: {CLASSES.reason(expression)}")
    labels = {"expression": label, "valence_arousal": np.array(values, dtype=np.float32)}
    return Row(path, labels, where)


def face_box(x: str, y: str, width: str, height: str) -> Box | None:
    """Return the box of a face, None where the release has none.

    Raises:
        ValueError: If a cell is neither a number nor empty.
    """
    cells = {"face_x": x, "face_y": y, "face_width": width, "face_height": height}
    if any(text in ("", "NULL") for text in cells.values()):
        return None
    left, top, across, down = (number(name, text) for name, text in cells.items())
    return Box(left, top, left + across, top + down) if across > 0 and down > 0 else None


def exists(root: Path, candidates: tuple[str, ...]) -> str | None:
    """Return the first of several relative paths that is there."""
    return next((name for name in candidates if (root / name).exists()), None)
