"""What Aff-Wild2 annotates, and how its text files write it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtl_dm.datasets.reading import MISSING, ClassMap, flag, in_order, number
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task

TASKS = (
    Task.multiclass("expression", EXPRESSIONS),
    Task.multilabel("action_units", ACTION_UNITS),
    Task.regression("valence_arousal", ("valence", "arousal"), bounds=(-1, 1)),
)

IMAGE_SIZE = (112, 112)

IMAGE_FOLDERS = ("cropped_aligned", "cropped_aligned_new_50_vids")
"""Folders of face crops; the second one came with the videos of a later release."""

VIDEOS = 564
FRAMES = 2_800_000
"""Published counts; that of the frames is rounded."""

CLASSES = ClassMap(
    "expression",
    EXPRESSIONS,
    {
        "0": "neutral",
        "1": "anger",
        "2": "disgust",
        "3": "fear",
        "4": "happiness",
        "5": "sadness",
        "6": "surprise",
        "7": None,
        "-1": None,
    },
    {"7": "Other", "-1": "not annotated"},
)

EXPRESSION_COLUMNS = (
    "Neutral", "Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise", "Other",
)  # fmt: skip
"""Header of an expression file; in older releases without the last one."""

VALENCE_AROUSAL_COLUMNS = ("valence", "arousal")

UNITS = tuple(f"AU{unit}" for unit in (1, 2, 4, 6, 7, 10, 12, 15, 23, 24, 25, 26))
"""The action units of the later releases, in the order of the files."""

Labels = Mapping[str, Any]
"""Task -> label of one frame; without what is not annotated. "Other" is an expression of -1."""

Parser = Callable[[Sequence[str]], Labels]
"""Turns the cells of a line into labels; raises a ValueError for what breaks the format."""

_FLAGS = {"1": 1, "0": 0, "-1": MISSING, "1.0": 1, "0.0": 0, "-1.0": MISSING}
_NOT_VALENCE = (-5,)


def expression(text: str) -> Labels:
    """Return the expression of a frame.

    Raises:
        ValueError: If there is no such id.
    """
    label = CLASSES.index(text)
    if label is None:
        return {} if text == "-1" else {"expression": MISSING}
    return {"expression": label}


def action_units(cells: Sequence[str], names: Sequence[str]) -> Labels:
    """Return the action units of a frame.

    Raises:
        ValueError: If a value is none of 1, 0 and -1.
    """
    flags = {name: flag(name, text, _FLAGS) for name, text in zip(names, cells, strict=True)}
    if all(value == MISSING for value in flags.values()):
        return {}
    return {"action_units": in_order(flags, ACTION_UNITS)}


def valence_arousal(cells: Sequence[str]) -> Labels:
    """Return valence and arousal of a frame.

    Raises:
        ValueError: If a value is neither in [-1, 1] nor -5.
    """
    values = [
        number(name, text, -1, 1, missing=_NOT_VALENCE)
        for name, text in zip(VALENCE_AROUSAL_COLUMNS, cells, strict=True)
    ]
    if all(map(math.isnan, values)):
        return {}
    return {"valence_arousal": np.array(values, dtype=np.float32)}


def why_nothing(labels: Labels) -> str:
    """Return why a frame with these labels is of no use; empty where it is."""
    if not labels:
        return "no label"
    return CLASSES.reason("7") if labels == {"expression": MISSING} else ""


def image_folder(root: Path, video: str) -> str:
    """Return the image folder, relative to the root, that has a folder for the video."""
    for folder in IMAGE_FOLDERS:
        if (root / folder / video).is_dir():
            return folder
    return IMAGE_FOLDERS[0]
