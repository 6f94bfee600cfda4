"""The Clothing Attribute Dataset in every regime: on frozen features and on images."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from experiments.clothing_data import BUILT, NAME, SPLIT_SEED, ClothingData, hold_out
from experiments.coupling.regimes import annotated
from experiments.coupling.variants import VARIANTS
from mtl_dm import data
from mtl_dm.relatedness import Relatedness, best_temperature, estimate, marginal
from mtl_dm.tasks import Task
from mtl_dm.training.config import TrainConfig

COMPONENTS = 256
HELD_OUT = 0.15
IMAGE_SIZE = 64
CO_ANNOTATED = 0.1
FEW = ("10%", "10%, T")


class Clothing:
    """One fold in one regime; what is coupled is trained on is seen here alone.

    Args:
        table: Labels, features and folds.
        regime: A regime of `experiments.coupling.regimes`.
        repeat: Which halving.
        fold: Which half is trained on.
        images: Train the compact CNN on images instead of a dense trunk on features.
        inner: Test on a part of the training half instead of on the other half: forms and weights
            are chosen so.
    """

    def __init__(
        self,
        table: ClothingData,
        regime: str,
        repeat: int,
        fold: int,
        *,
        images: bool = False,
        inner: int | None = None,
    ) -> None:
        self._table = table
        self._images = images
        self._seed = (SPLIT_SEED, repeat, fold)
        train, test = table.halves[repeat][fold], table.halves[repeat][1 - fold]
        if inner is not None:
            train, test = hold_out(train, 1 / 3, (*self._seed, 1, inner))
        # Everything but the tests' images is fixed by the training half.
        self._train, self._held = hold_out(train, HELD_OUT, (*self._seed, 2))
        self._test = test
        self._kept = annotated(self._train, regime, (*self._seed, 3, inner or 0))
        self.tasks: tuple[Task, Task] = (table.tasks[0], table.tasks[1])
        self.config = TrainConfig(
            datasets=(NAME, NAME),
            tasks=tuple(task.name for task in self.tasks),
            backbone="compact_cnn" if images else "dense_trunk",
            batch_size=50,
            epochs=30 if images else 40,
            augment=images,
            seed=repeat,
        )

    def sources(self, tasks: Sequence[Task]) -> list[tf.data.Dataset]:
        """Return one source a task, or one for both where the same images have both labels."""
        if np.array_equal(self._kept.classes, self._kept.attributes):
            return [self._source(self._train, tasks)]
        kept = dict(zip((task.name for task in self.tasks), self._kept, strict=True))
        return [self._source(kept[task.name], [task]) for task in tasks]

    def held_out(self, tasks: Sequence[Task]) -> tf.data.Dataset:
        """Return the part of the training half that no row trains on."""
        return self._source(self._held, tasks)

    def test(self, tasks: Sequence[Task]) -> tf.data.Dataset:
        """Return the other half, the same images for every row."""
        return self._source(self._test, tasks, among=self.tasks)

    def columns(self) -> Mapping[str, np.ndarray] | None:
        """Return None: every attribute is scored."""
        return None

    def relatedness(self, name: str) -> Relatedness:
        """Return the relatedness that a row names, all from the training part."""
        classes, attributes = self.tasks
        labels = self._table.labels
        if name == "learned":
            return marginal(
                labels[classes.name][self._kept.classes],
                labels[attributes.name][self._kept.attributes],
                classes=classes.labels,
                attributes=attributes.labels,
            )
        few = name in FEW
        rows = self._co_annotated() if few else np.asarray(self._train)
        known = estimate(
            labels[classes.name][rows],
            labels[attributes.name][rows],
            classes=classes.labels,
            attributes=attributes.labels,
            strength=None if few else 1.0,
        )
        return VARIANTS[name](known, self._seed[1]) if name in VARIANTS else known

    def options(self, name: str) -> Mapping[str, float]:
        """Return T by likelihood on the co-annotated images for the row that says so."""
        if name != "10%, T":
            return {}
        rows = self._co_annotated()
        classes, attributes = (self._table.labels[task.name][rows] for task in self.tasks)
        table = self.relatedness(name)
        return {
            "temperature": best_temperature(classes, attributes, None, table, leave_one_out=True)
        }

    def _co_annotated(self) -> np.ndarray:
        """Return the few images that have both labels for the relatedness, and for it alone."""
        order = np.random.default_rng([*self._seed, 4]).permutation(np.asarray(self._train))
        return order[: round(CO_ANNOTATED * len(order))]

    def _source(
        self, rows: npt.ArrayLike, tasks: Sequence[Task], among: Sequence[Task] | None = None
    ) -> tf.data.Dataset:
        """Return images with any label of `among` (None: of `tasks`)."""
        kept = self._table.annotated(rows, among or tasks)
        if self._images:
            indices = self._table.index[kept]
            return data.load(
                NAME, data_dir=BUILT, tasks=tasks, image_size=IMAGE_SIZE, only=("index", indices)
            )
        labels = {task.name: self._table.labels[task.name][kept] for task in tasks}
        return data.from_arrays(_components(self._table, tuple(self._train))[kept], labels, tasks)


@functools.lru_cache(maxsize=2)
def _components(table: ClothingData, train: tuple[int, ...]) -> np.ndarray:
    """Return the first principal components of the training images, for every image.

    Rows of one fold, which follow each other, share them.
    """
    features = table.features()
    rows = list(train)
    mean, spread = features[rows].mean(axis=0), features[rows].std(axis=0) + 1e-6
    _, _, axes = np.linalg.svd((features[rows] - mean) / spread, full_matrices=False)
    projected = ((features - mean) / spread) @ axes[:COMPONENTS].T
    return (projected / projected[rows].std()).astype(np.float32)
