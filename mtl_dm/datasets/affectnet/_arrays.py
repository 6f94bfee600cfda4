"""AffectNet as released in 2021: four tiny .npy files an image."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mtl_dm.datasets.affectnet._labels import TASKS, to_row
from mtl_dm.datasets.reading import Item, Release, Row, Skipped, clean, parse

FOLDERS = {"train_set": "train", "val_set": "validation"}
"""Folder of the release -> split."""

# Ids 0 to 7.
PUBLISHED = {"train": 287_651, "validation": 3_999}

_EXPRESSION = "_exp.npy"


class _Annotation(NamedTuple):
    """The expression of an image; a file without lines."""

    file: Path
    number: int = 0


def read_arrays(root: Path) -> Release:
    """Return the release; one of `FOLDERS` must be there.

    Raises:
        FileNotFoundError: If a folder lacks its images or annotations.
    """
    folders = [folder for folder in FOLDERS if (root / folder).is_dir()]
    for folder in folders:
        for name in ("images", "annotations"):
            if not (root / folder / name).is_dir():
                raise FileNotFoundError(f"{root / folder}: expected a folder {name} there.")
    absent = sorted(set(FOLDERS) - set(folders))
    return Release(
        root,
        {FOLDERS[folder]: functools.partial(_rows, root, folder) for folder in folders},
        listed=tuple(f"{folder}/images" for folder in folders),
        published=PUBLISHED,
        facts=(f"AffectNet, release of 2021, in {root}.",),
        warnings=tuple(f"No folder {name}: no {FOLDERS[name]} split." for name in absent),
        tasks=TASKS,
    )


def _rows(root: Path, folder: str) -> Iterator[Item]:
    annotations = root / folder / "annotations"
    # Of the four names an image only one is kept, without its ending.
    with os.scandir(annotations) as entries:
        names = [
            entry.name.removesuffix(_EXPRESSION)
            for entry in entries
            if entry.name.endswith(_EXPRESSION) and not entry.name.startswith(".")
        ]
    names.sort(key=lambda name: (len(name), name))  # numbers in their order
    files = (_Annotation(annotations / f"{name}{_EXPRESSION}") for name in names)
    yield from parse(files, functools.partial(_row, folder=folder))


def _row(annotation: _Annotation, folder: str) -> Row | Skipped:
    file = annotation.file
    name = file.name.removesuffix(_EXPRESSION)
    # A whole number may be stored as a real one.
    expression = read_value(file).removesuffix(".0")
    valence, arousal = (
        read_value(file.with_name(f"{name}_{ending}.npy")) for ending in ("val", "aro")
    )
    return to_row(
        clean(f"{folder}/images/{name}.jpg"), expression, valence, arousal, where=file.name
    )


def read_value(file: Path) -> str:
    """Return the text of the one value that a .npy file holds: a number or a string.

    Raises:
        ValueError: If the file is missing, or holds anything else; the message names it.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ValueError(f"{file.name} cannot be read ({error.strerror})") from error
    try:
        # A release has a million of these files and a handful of different headers.
        start = 10 + int.from_bytes(data[8:10], "little")
        dtype = _dtype(data[:start])
        if len(data) != start + dtype.itemsize:
            raise ValueError("it holds more or less than one value")
        value = np.frombuffer(data, dtype, offset=start)[0]
        return (value.decode("ascii") if isinstance(value, bytes) else str(value)).strip()
    except Exception as error:  # NumPy reads the header as Python, and raises what it may
        raise ValueError(f"{file.name} is no .npy file with one value: {error}") from error


@functools.lru_cache(maxsize=256)
def _dtype(header: bytes) -> np.dtype:
    """Return the type that the header of a .npy file (format 1.0) names."""
    stream = io.BytesIO(header)
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise ValueError(f"version {version}, expected (1, 0)")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    # Objects are pickled, and reading those would run whatever is in the file.
    if dtype.kind not in "iufUS" or shape not in ((), (1,)):
        raise ValueError(f"type {dtype} and shape {shape}, expected one number or string")
    return dtype
