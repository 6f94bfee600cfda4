"""The databases of Tables 4 and 5 by the paper's protocol: sizes, batches, what is printed.

Printed ("Training Implementation Details"): CelebA 112 px in batches of 200; CUB cropped, 280 px,
label smoothing 0.3, affine transformations, batches of 150; SADD 280 px in batches of 100; CAD 280
px in batches of 50, six times 2-fold; Adam at 1e-3, images in [-1, 1].
Ours, for the paper is silent: epochs, no pretrained weights, no choice of the best epoch. Its
affine transformations are mirror images and shifts here (`mtl_dm.data.augmentation`, which also
relights). Splits: those of each data set's builder.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.engine.built import Built
from experiments.engine.problem import Problem
from experiments.engine.study import Repeat
from experiments.problems.clothing_data import NAME, REPEATS, clothing_data
from experiments.problems.clothing_halves import COUNTED, ClothingHalves, halves_of
from mtl_dm import data
from mtl_dm.tasks import Task
from mtl_dm.training.config import TrainConfig

if TYPE_CHECKING:
    import tensorflow as tf

CAD = "CAD"
ONCE: tuple[Repeat, ...] = ((0, None),)


@dataclasses.dataclass(frozen=True)
class Database:
    """A database and how the paper trains on it.

    Attributes:
        dataset: Name of the data set.
        classes: Its task of classes.
        images: Training images as published, for estimates before it is built.
        fields: Of the configuration.
        repeats: (seed, fold) of its cells.
    """

    dataset: str
    classes: str
    images: int
    fields: Mapping[str, Any]
    repeats: Sequence[Repeat] = ONCE


def _fields(side: int, batch: int, epochs: int, **others: Any) -> dict[str, Any]:
    return {
        "image_size": side,
        "batch_size": batch,
        "epochs": epochs,
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "augment": False,
        **others,
    }


DATABASES = {
    # About eight tenths of 202,599: the split shares the people.
    "CelebA": Database("celeb_a_identity", "identity", 162_000, _fields(112, 200, 20)),
    "CUB": Database(
        "cub_200_2011",
        "category",
        5_994,
        _fields(280, 150, 100, label_smoothing=0.3, augment=True),
    ),
    "SADD": Database("shoes_sadd", "category", 7_400, _fields(280, 100, 50)),
    CAD: Database(
        NAME,
        "category",
        928,
        _fields(280, 50, 100),
        tuple((repeat, fold) for repeat in range(REPEATS) for fold in (0, 1)),
    ),
}


class PlannedClothing(Problem):
    """The clothes before they are built: what a dry run says of them.

    Args:
        config: What all rows share.
        images: Of half of them.
    """

    names = {"counted": COUNTED}  # noqa: RUF012 - a constant

    def __init__(self, config: TrainConfig, images: int) -> None:
        self.config = config
        self._images = images
        self._outline = data.outline(NAME, data_dir=config.data_dir)
        self.tasks = self._outline.tasks

    def sizes(self, tasks: Sequence[Task]) -> list[int | None]:
        """Return the published size of a half, labelled or not."""
        del tasks
        return [self._images]

    def input_shape(self) -> tuple[int, ...]:
        """Return the shape of an image."""
        side = self.config.image_size or 0
        return side, side, 3

    def reads(self) -> list[data.Outline]:
        """Return the data set that is not built."""
        return [self._outline]

    def sources(self, tasks: Sequence[Task]) -> list[tf.data.Dataset | None]:
        """Raise FileNotFoundError: there are no images yet."""
        raise FileNotFoundError(data.how_to_build(NAME, self.config.data_dir))

    def test(self, tasks: Sequence[Task]) -> tf.data.Dataset:
        """Raise FileNotFoundError: there are no images yet."""
        raise FileNotFoundError(data.how_to_build(NAME, self.config.data_dir))


def problem(
    name: str,
    changes: Mapping[str, Any],
    data_dir: str,
    folder: Path,
    seed: int,
    fold: int | None,
) -> Problem:
    """Return a database by its protocol.

    Args:
        name: Of `DATABASES`.
        changes: Fields of the configuration instead of the paper's.
        data_dir: Folder of built data sets.
        folder: Folder of the study.
        seed: Of weights and data order; of CAD also which halving.
        fold: Of CAD, which half is trained on.
    """
    database = DATABASES[name]
    fields = {**database.fields, **changes, "seed": seed}
    if name == CAD and is_built(name, data_dir):
        table = clothing_data("", folder, data_dir)
        return ClothingHalves(table, halves_of(table, seed, fold or 0), fields)
    train = database.dataset if name == CAD else f"{database.dataset}:train"
    config = TrainConfig(
        datasets=(train,), tasks=(database.classes, "attributes"), data_dir=data_dir, **fields
    )
    if name == CAD:
        return PlannedClothing(config, database.images)
    found = Built(config, f"{database.dataset}:test", expected={train: database.images})
    found.names = {"counted": f"inferred:{train}"}
    return found


def is_built(name: str, data_dir: str) -> bool:
    """Return whether a database is built."""
    return data.outline(DATABASES[name].dataset, data_dir=data_dir).built


def skipped(data_dir: str, names: Sequence[str]) -> dict[str, str]:
    """Return, by database that is not built, how to build it.

    Args:
        data_dir: Folder of built data sets.
        names: Of `DATABASES`.
    """
    return {
        name: data.how_to_build(DATABASES[name].dataset, data_dir)
        for name in names
        if not is_built(name, data_dir)
    }
