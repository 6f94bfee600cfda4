"""CMU Face Images: 20 people in four expressions and poses, half of them trained, half compared."""

from __future__ import annotations

import functools
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from experiments.problems.people import SIDE, People, resized
from mtl_dm.files import require_modest

FILE = "cmu_faces/cmu_faces_half_size.npz"
EXPRESSIONS = ("neutral", "happy", "sad", "angry")
PEOPLE = 20
_HEIGHT = 60


_PARTS = {("numpy", name) for name in ("_reconstruct", "ndarray", "dtype", "scalar")}
_PARTS.add(("_codecs", "encode"))
"""Package and name of all that a pickled array of texts is made of."""


class _Texts(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return a part of an array, and nothing else: a pickle may call whatever it names."""
        if (module.partition(".")[0], name) not in _PARTS:
            raise ValueError(f"it is to hold texts, and names {module}.{name}")
        return super().find_class(module, name)


def _texts(path: Path, name: str) -> Any:
    """Return an array of texts, which the file holds as objects, without running what it names."""
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)
        read = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
        _, _, kind = read(file)
        if kind.hasobject:
            return _Texts(file).load()
    with np.load(path) as stored:
        return stored[name]


@functools.lru_cache(maxsize=1)
def photos(data_dir: str) -> People:
    """Return the images, 60 pixels from the middle of each, people in the order of their names.

    Args:
        data_dir: Folder that holds `cmu_faces`.

    Raises:
        FileNotFoundError: If the file is not there.
        ValueError: If a label is no name, pose, expression and eyes, or the file unpacks to many
            times its size.
    """
    path = Path(data_dir) / FILE
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is not there: the CMU Face Images (UCI repository) in one file, `data` [N, "
            "60, 64] in [0, 1] and `labels` name_pose_expression_eyes."
        )
    try:
        require_modest(path)
    except (ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: {error}.") from error
    with np.load(path) as file:
        values = file["data"]
    labels = _labels(path)
    names = sorted({each[0] for each in labels})
    left = (values.shape[2] - _HEIGHT) // 2
    pixels = np.rint(255 * values[:, :, left : left + _HEIGHT]).astype(np.uint8)
    return People(
        resized(pixels, SIDE),
        np.array([names.index(each[0]) for each in labels], np.int64),
        np.array([EXPRESSIONS.index(each[2]) for each in labels], np.int64),
    )


def sunglasses(data_dir: str) -> np.ndarray:
    """Return whether each person wears sunglasses, int64 [624], in the order of `photos`.

    Raises:
        ValueError: As `photos`.
    """
    labels = _labels(Path(data_dir) / FILE)
    return np.array([each[3] == "sunglasses" for each in labels], np.int64)


def _labels(path: Path) -> list[list[str]]:
    labels = [str(each).split("_") for each in _texts(path, "labels")]
    wrong = next((each for each in labels if len(each) != 4 or each[2] not in EXPRESSIONS), None)
    if wrong is not None:
        raise ValueError(f"{path}: expected name_pose_expression_eyes, got {'_'.join(wrong)!r}.")
    return labels


def half_of(people: People, half: int) -> tuple[People, People]:
    """Return the images of the people who train and of those who are tested.

    Args:
        people: Of `photos`.
        half: 0: those with even numbers train; 1: those with odd ones.
    """
    trains = people.person % 2 == half
    known = people.person >= 0
    return people.take(np.flatnonzero(trains & known)), people.take(np.flatnonzero(~trains & known))
