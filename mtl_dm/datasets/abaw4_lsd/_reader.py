"""Reads ABAW4 LSD as folders of images: SET/CLASS/NAME.jpg."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

from mtl_dm.datasets.reading import ClassMap, Release, Row, image_files, locate
from mtl_dm.tasks import EXPRESSIONS, Task

LSD_EXPRESSIONS = tuple(name for name in EXPRESSIONS if name != "neutral")

TASKS = (Task.multiclass("expression", LSD_EXPRESSIONS),)

SPLITS = {
    "training_set_synthetic_images": "train",
    "validation_set_real_images": "validation",
}
"""Folder of the release -> split."""

PUBLISHED = {"train": 277_251, "validation": 4_670}

CLASSES = ClassMap(
    "expression",
    LSD_EXPRESSIONS,
    {
        "ANGRER": "anger",  # so in the release; users correct it
        "ANGERE": "anger",
        "ANGER": "anger",
        "DISGUST": "disgust",
        "FEAR": "fear",
        "HAPPINESS": "happiness",
        "SADNESS": "sadness",
        "SURPRISE": "surprise",
    },
)


def read(source: Path) -> Release:
    """Return the release; see `ReleaseBuilder.release`.

    Raises:
        FileNotFoundError: If there is no set, or one lacks classes.
        ValueError: If a set holds a folder that is no class.
    """
    root = locate("ABAW4 LSD", source, list(SPLITS), "ABAW4_LSD")
    folders = {name: _classes(root / name) for name in SPLITS if (root / name).is_dir()}
    absent = sorted(set(SPLITS) - set(folders))
    return Release(
        root,
        {
            SPLITS[folder]: functools.partial(_rows, root, folder, classes)
            for folder, classes in folders.items()
        },
        listed=tuple(folders),
        published=PUBLISHED,
        facts=(f"ABAW4 LSD in {root}.",),
        warnings=tuple(f"No folder {name}: no {SPLITS[name]} split." for name in absent),
        tasks=TASKS,
    )


def _classes(folder: Path) -> tuple[str, ...]:
    """Return the class folders, in the order of `CLASSES`."""
    found = {path.name for path in folder.iterdir() if path.is_dir()}
    unknown = sorted(
        name for name in found - set(CLASSES.names) if not name.startswith((".", "__"))
    )
    if unknown:
        raise ValueError(f"{folder} holds {unknown}; expected only {list(CLASSES.names)}.")
    named = {CLASSES.names[name] for name in found & set(CLASSES.names)}
    missing = sorted(str(name) for name in set(CLASSES.names.values()) - named)
    if missing:
        raise FileNotFoundError(
            f"{folder} lacks folders for the classes {missing}; expected {list(CLASSES.names)} "
            "(one spelling of anger is enough)."
        )
    return tuple(name for name in CLASSES.names if name in found)


def _rows(root: Path, folder: str, classes: tuple[str, ...]) -> Iterator[Row]:
    for name in classes:
        label = {"expression": CLASSES.index(name)}
        for path in image_files(root, f"{folder}/{name}"):
            yield Row(path, label)
