"""Reads the label files of the Clothing Attribute Dataset into arrays. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mtl_dm.datasets.clothing_attributes._schema import (
    BINARY_FILES,
    CATEGORY_FILE,
    FOLDER,
    ONE_VS_REST_FILES,
    VALUES,
)
from mtl_dm.datasets.reading.matlab import read_matlab

VARIABLE = "GT"
MISSING = -1

Ids = npt.NDArray[np.int64]


class Labels(NamedTuple):
    """The labels of N images; row i belongs to image i + 1.

    Attributes:
        category: int64 [N], class ids, -1 missing.
        attributes: int8 [N, 29], 1 active, 0 not, -1 missing.
    """

    category: Ids
    attributes: npt.NDArray[np.int8]


def locate(source: str | Path) -> Path:
    """Return the released folder: `source/ClothingAttributeDataset`, or `source` itself.

    Raises:
        FileNotFoundError: If neither is there.
    """
    source = Path(source)
    if (source / FOLDER).is_dir():
        return source / FOLDER
    if (source / "labels").is_dir() or (source / "images").is_dir():
        return source
    raise FileNotFoundError(
        f"No Clothing Attribute Dataset at {source}: expected a folder {FOLDER}/ there, or the "
        "folders images/ and labels/."
    )


def label_path(folder: Path, name: str) -> Path:
    """Return the label file called `name`."""
    return folder / "labels" / f"{name}_GT.mat"


def missing_files(folder: Path) -> list[str]:
    """Return the label files that are not there."""
    paths = (label_path(folder, name) for name in VALUES)
    return [path.name for path in paths if not path.is_file()]


def read_values(path: Path, values: int) -> Ids:
    """Return one label file as int64 [N]: value - 1, or -1 where the raters did not agree.

    Args:
        path: A `.mat` file with the variable `GT`, [N, 1], 1 .. `values` or NaN.
        values: Number of values that the label has.

    Raises:
        ValueError: If the file cannot be read, or the variable, its shape or a value is wrong.
    """
    raw = _load_vector(path)
    missing = np.isnan(raw)
    wrong = np.flatnonzero(~missing & ~np.isin(raw, np.arange(1, values + 1)))
    if wrong.size:
        row = wrong[0]
        raise ValueError(
            f"{path}: row {row + 1} of {VARIABLE} is {raw[row]:g}; values must be whole numbers "
            f"from 1 to {values}, or NaN ({wrong.size} row(s) are not)."
        )
    return np.where(missing, MISSING, np.nan_to_num(raw) - 1).astype(np.int64)


def _load_vector(path: Path) -> npt.NDArray[np.float64]:
    array = read_matlab(path, [VARIABLE])[VARIABLE]
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{path}: {VARIABLE} must hold numbers, got {array.dtype}.")
    if array.ndim != 2 or (array.size and array.shape[1] != 1):
        raise ValueError(f"{path}: {VARIABLE} must be N x 1, got {array.shape}.")
    return array.astype(np.float64).ravel()


def check_lengths(lengths: Mapping[str, int]) -> int:
    """Return the number of rows that all label files share.

    Args:
        lengths: Label file (without its ending) -> number of rows.

    Raises:
        ValueError: If the files do not agree, or have no rows.
    """
    counts = sorted(set(lengths.values()))
    if len(counts) > 1:
        groups = (
            f"{count} in {_few([name for name in lengths if lengths[name] == count])}"
            for count in counts
        )
        raise ValueError(
            f"All label files must have the same number of rows, got {'; '.join(groups)}."
        )
    if counts == [0]:
        raise ValueError("The data set is empty: the label files have no rows.")
    return counts[0]


def _few(names: list[str], most: int = 5) -> str:
    shown = ", ".join(f"{name}_GT.mat" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def read_labels(folder: str | Path) -> Labels:
    """Return the labels of all images.

    Args:
        folder: The released folder (see `locate`).

    Raises:
        FileNotFoundError: If label files are missing; names them all.
        ValueError: If a file is malformed, the files disagree on the number of images or there
            is none.
    """
    folder = Path(folder)
    absent = missing_files(folder)
    if absent:
        raise FileNotFoundError(
            f"{folder / 'labels'} lacks {len(absent)} of {len(VALUES)} label files: "
            f"{', '.join(absent)}."
        )
    ids = {name: read_values(label_path(folder, name), count) for name, count in VALUES.items()}
    check_lengths({name: len(values) for name, values in ids.items()})
    return Labels(ids[CATEGORY_FILE], _attributes(ids))


def _attributes(ids: Mapping[str, Ids]) -> npt.NDArray[np.int8]:
    # A binary label's id (0, 1, -1) is the attribute already.
    binary = np.stack([ids[name] for name in BINARY_FILES], axis=1)
    groups = [_one_vs_rest(ids[name], len(group)) for name, group in ONE_VS_REST_FILES.items()]
    return np.concatenate([binary, *groups], axis=1).astype(np.int8)


def _one_vs_rest(ids: Ids, values: int) -> Ids:
    """Return [N, values]: 1 in the id's column, 0 elsewhere; a missing id misses in all."""
    column = ids[:, np.newaxis]
    active = (column == np.arange(values)).astype(np.int64)
    return np.where(column == MISSING, MISSING, active)
