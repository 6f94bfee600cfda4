"""Reads FER2013 as folders of images: SPLIT/CLASS/NAME.jpg."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

from mtl_dm.datasets.reading import ClassMap, Release, Row, image_files, locate
from mtl_dm.tasks import EXPRESSIONS, Task

TASKS = (Task.multiclass("expression", EXPRESSIONS),)

IMAGE_SIZE = (48, 48)

SPLITS = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
"""Folder of the release -> split."""

PUBLISHED = {"train": 28_709, "validation": 3_589, "test": 3_589}

CLASSES = ClassMap(
    "expression",
    EXPRESSIONS,
    {
        "angry": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "happy": "happiness",
        "neutral": "neutral",
        "sad": "sadness",
        "surprise": "surprise",
    },
)


def read(source: Path) -> Release:
    """Return the release; see `ReleaseBuilder.release`.

    Raises:
        FileNotFoundError: If there is no split folder, or one lacks classes.
        ValueError: If a split holds a folder that is no class.
    """
    root = locate("FER2013", source, list(SPLITS), "fer2013")
    folders = [folder for folder in SPLITS if (root / folder).is_dir()]
    for folder in folders:
        _check_classes(root / folder)
    absent = sorted(set(SPLITS) - set(folders))
    return Release(
        root,
        {SPLITS[folder]: functools.partial(_rows, root, folder) for folder in folders},
        listed=tuple(folders),
        published=PUBLISHED,
        facts=(f"FER2013 in {root}.",),
        warnings=tuple(f"No folder {name}: no {SPLITS[name]} split." for name in absent),
        tasks=TASKS,
    )


def _check_classes(folder: Path) -> None:
    found = {path.name for path in folder.iterdir() if path.is_dir()}
    missing = sorted(set(CLASSES.names) - found)
    if missing:
        raise FileNotFoundError(f"{folder} lacks the class folders {missing}.")
    unknown = sorted(name for name in found - set(CLASSES.names) if not name.startswith("."))
    if unknown:
        raise ValueError(f"{folder} holds {unknown}; expected only {sorted(CLASSES.names)}.")


def _rows(root: Path, folder: str) -> Iterator[Row]:
    for name in CLASSES.names:
        label = {"expression": CLASSES.index(name)}
        for path in image_files(root, f"{folder}/{name}"):
            yield Row(path, label)
