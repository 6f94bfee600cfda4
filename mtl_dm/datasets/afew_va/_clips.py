"""The JSON file of one clip: who is in it, and what each frame shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mtl_dm.datasets.reading import Box, number
from mtl_dm.files import read_json

VALUES = ("valence", "arousal")

LARGEST = 10
"""The annotations are the whole numbers from -10 to 10; a tenth of them is the label."""

LANDMARKS = 68

MARGIN = 0.25
"""By how much of its longer side the landmarks' box is enlarged: they end at the brows. Ours."""


class Frame(NamedTuple):
    """What the file says of one frame.

    Attributes:
        file: The JSON file.
        name: The frame's name, such as 00012.
        values: Its entry.
    """

    file: Path
    name: str
    values: Any

    @property
    def number(self) -> int:
        """The line: a JSON file has none."""
        return 0


class Clip(NamedTuple):
    """One clip.

    Attributes:
        file: The JSON file.
        actor: Whom it shows; empty where the file does not say.
        frames: Its frames, in their order.
    """

    file: Path
    actor: str
    frames: tuple[Frame, ...]


def read_clip(file: Path) -> Clip:
    """Return what a JSON file holds.

    Raises:
        ValueError: If it is no JSON, or has no "frames"; names the file.
    """
    try:
        content = read_json(file)
    except ValueError as error:
        raise ValueError(f"{file}: not a JSON file ({error}).") from error
    frames = content.get("frames") if isinstance(content, dict) else None
    if not isinstance(frames, dict):
        raise ValueError(f'{file}: expected an object with "frames": {{"00000": ...}}.')
    entries = tuple(Frame(file, name, frames[name]) for name in sorted(frames))
    return Clip(file, str(content.get("actor") or ""), entries)


def frame_number(name: str) -> int:
    """Return the number of a frame.

    Raises:
        ValueError: If its name is none.
    """
    if not (name.isascii() and name.isdecimal()):
        raise ValueError(f"frame {name!r}: expected a number such as 00012")
    return int(name)


def valence_arousal(frame: Frame) -> np.ndarray:
    """Return float32 [2] in [-1, 1]; NaN where the file has null or no entry.

    Raises:
        ValueError: If a value is outside [-10, 10], NaN or no number; names the frame.
    """
    if not isinstance(frame.values, dict):
        raise ValueError(f"frame {frame.name}: expected an object with {' and '.join(VALUES)}")
    return np.array([_value(frame, name) / LARGEST for name in VALUES], dtype=np.float32)


def _value(frame: Frame, name: str) -> float:
    value = frame.values.get(name)
    if value is None:
        return math.nan
    return number(f"frame {frame.name}: {name}", str(value), -LARGEST, LARGEST)


def face_box(landmarks: Any) -> Box | None:
    """Return the box of a face: that of its landmarks, enlarged by `MARGIN`.

    Args:
        landmarks: 68 pairs of pixels; anything else is no face.
    """
    if not _is_pairs(landmarks):
        return None
    points = np.asarray(landmarks, dtype=np.float64)
    if not np.isfinite(points).all():
        return None
    low, high = points.min(axis=0), points.max(axis=0)
    margin = MARGIN * float((high - low).max())
    if margin <= 0:
        return None
    (left, top), (right, bottom) = (low - margin).tolist(), (high + margin).tolist()
    return Box(left, top, right, bottom)


def _is_pairs(landmarks: Any) -> bool:
    return (
        isinstance(landmarks, Sequence)
        and len(landmarks) == LANDMARKS
        and all(
            isinstance(point, Sequence)
            and len(point) == 2
            and all(isinstance(each, int | float) for each in point)
            for point in landmarks
        )
    )
