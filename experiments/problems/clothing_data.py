"""The Clothing Attribute Dataset for studies: its labels, frozen features and folds."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data_prep.build import build, is_built
from mtl_dm import data, datasets
from mtl_dm.files import read_array, write_atomically
from mtl_dm.tasks import Task

NAME = "clothing_attributes"
DATASET = "clothing_attributes (real)"
BUILT = "build/datasets"
FEATURES = "features/cad_mobilenetv2_224_gap.npy"
REPEATS = 6
SPLIT_SEED = 0


def folds(size: int, repeats: int, seed: int) -> list[list[list[int]]]:
    """Return `repeats` random halvings of range(size): [repeat][half] -> sorted indices."""
    generator = np.random.default_rng(seed)
    halves = []
    for _ in range(repeats):
        order = generator.permutation(size)
        halves.append([sorted(map(int, part)) for part in np.array_split(order, 2)])
    return halves


class Halves(NamedTuple):
    """Rows to train on, rows to hold out of the training."""

    train: list[int]
    held: list[int]


def hold_out(rows: Sequence[int], share: float, seed: Sequence[int]) -> Halves:
    """Return `rows` without a random share of them, and that share, both sorted."""
    order = np.random.default_rng(list(seed)).permutation(len(rows))
    count = round(share * len(rows))
    held, train = (sorted(rows[place] for place in part) for part in np.split(order, [count]))
    return Halves(train, held)


class ClothingData:
    """The built data set, made where it is not there, and six times two halves of it.

    Args:
        source: Folder that holds ClothingAttributeDataset and, where they are used, the features.
        folder: Folder of the study; the folds are saved in it.
        data_dir: Folder of built data sets.

    Raises:
        FileNotFoundError: If the data set is not at `source`.
        ValueError: If its files are malformed.
    """

    def __init__(self, source: Path, folder: Path, data_dir: str = BUILT) -> None:
        self._source = source
        self.data_dir = data_dir
        builder = datasets.make_builder(NAME, data_dir)
        if not is_built(builder):
            build(builder, source, data_dir)
        self.tasks = data.tasks_in(NAME, data_dir=data_dir)
        raw = data.raw_features(NAME, ["category", "attributes", "index"], data_dir=data_dir)
        # Images may have been skipped; the split is over those that are there.
        self.index = np.sort(raw["index"])
        order = np.argsort(raw["index"])
        self.labels = {task.name: raw[task.name][order] for task in self.tasks}
        self.halves = folds(len(self.index), REPEATS, SPLIT_SEED)
        saved = [[self.index[half].tolist() for half in pair] for pair in self.halves]
        write_atomically(folder / "folds.json", json.dumps(saved))

    def features(self) -> np.ndarray:
        """Return the frozen features of the images that are there, [N, 1280] float32.

        Raises:
            FileNotFoundError: If they are not at DATA_DIR.
        """
        path = self._source / FEATURES
        if not path.is_file():
            raise FileNotFoundError(
                f"Columns on frozen features need the features {path}; python -m "
                f"experiments.clothing_features --source={self._source} makes them."
            )
        values = read_array(path)
        last = int(self.index[-1])
        if values.ndim != 2 or values.dtype.kind != "f" or len(values) <= last:
            raise ValueError(
                f"{path} must hold real numbers [{last + 1} or more, numbers], got {values.dtype} "
                f"of shape {values.shape}."
            )
        return values.astype(np.float32)[self.index]

    def annotated(self, half: npt.ArrayLike, tasks: Sequence[Task]) -> np.ndarray:
        """Return the rows of `half` with any label of `tasks`."""
        rows = np.asarray(half)
        present = [self.labels[task.name][rows].reshape(len(rows), -1) >= 0 for task in tasks]
        return rows[np.concatenate(present, axis=1).any(axis=1)]


@functools.lru_cache(maxsize=1)
def clothing_data(source: str, folder: Path, data_dir: str = BUILT) -> ClothingData:
    """Return the data, read once in a process.

    Args:
        source: As for `ClothingData`.
        folder: As for `ClothingData`.
        data_dir: As for `ClothingData`.

    Raises:
        FileNotFoundError: As `ClothingData`.
        ValueError: As `ClothingData`.
    """
    return ClothingData(Path(source), folder, data_dir)
