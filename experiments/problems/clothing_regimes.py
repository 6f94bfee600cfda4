"""The Clothing Attribute Dataset in every regime: on frozen features and on images."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from experiments.engine.problem import Given, Problem
from experiments.problems.clothing_data import (
    BUILT,
    NAME,
    SPLIT_SEED,
    ClothingData,
    hold_out,
)
from experiments.problems.regimes import annotated
from experiments.problems.variants import VARIANTS
from mtl_dm import data
from mtl_dm.relatedness import Relatedness, best_temperature, estimate, marginal
from mtl_dm.tasks import Task
from mtl_dm.training.config import TrainConfig

COMPONENTS = 256
HELD_OUT = 0.15
IMAGE_SIZE = 64
EPOCHS = {False: 40, True: 30}
"""Whether on images -> epochs."""
CO_ANNOTATED = 0.1
KNOWN = "counted on the training part, hidden labels included"
ELSEWHERE = 0.25
FEW = f"counted on {CO_ANNOTATED:.0%} of the training part"
NAMES = {
    "known": KNOWN,
    "10%": FEW,
    "10%, T": f"{FEW}, temperature by their likelihood",
    "elsewhere": f"counted on the {ELSEWHERE:.0%} of the training part that look another way",
    "learned": "learned: from the rates of the training labels",
    **{name: f"{KNOWN}; {name}" for name in VARIANTS},
}
_CALLED = {description: name for name, description in NAMES.items()}


class ClothingRegime(Problem):
    """One fold in one regime; what is coupled is trained on is seen here alone.

    Args:
        table: Labels, features and folds.
        regime: A regime of `experiments.problems.regimes`.
        repeat: Which halving.
        fold: Which half is trained on.
        images: Train the compact CNN on images instead of a dense trunk on features.
        inner: Test on a part of the training half instead of on the other half: forms and weights
            are chosen so.
    """

    names = NAMES

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
        self._together = np.array_equal(self._kept.classes, self._kept.attributes)
        self.tasks = table.tasks
        self.config = TrainConfig(
            datasets=(NAME,) if self._together else (NAME, NAME),
            tasks=tuple(task.name for task in self.tasks),
            image_size=IMAGE_SIZE if images else None,
            backbone="compact_cnn" if images else "dense_trunk",
            attribute_reduction="sum",
            batch_size=50,
            epochs=EPOCHS[images],
            augment=images,
            seed=repeat,
        )
        self.record = {
            "regime": regime,
            "split": [*self._seed, inner],
            "thresholds_from": f"{HELD_OUT} held out of the training half",
        }

    def sources(self, tasks: Sequence[Task]) -> list[tf.data.Dataset | None]:
        """Return one source a task, or one for both where the same images have both labels."""
        if self._together:
            return [self._source(self._train, tasks)]
        wanted = {task.name for task in tasks}
        return [
            self._source(kept, [task]) if task.name in wanted else None
            for task, kept in zip(self.tasks, self._kept, strict=True)
        ]

    def validation(self, tasks: Sequence[Task]) -> tf.data.Dataset:
        """Return the part of the training half that no row trains on."""
        return self._source(self._held, tasks)

    def test(self, tasks: Sequence[Task]) -> tf.data.Dataset:
        """Return the other half, the same images for every row."""
        return self._source(self._test, tasks, among=self.tasks)

    def given(self, name: str) -> Given | None:
        """Return a relatedness of `NAMES`, from the training part alone."""
        called = _CALLED.get(name)
        if called is None:
            return None
        if called == "learned":
            return Given(self._rates(), learned=True)
        if called in ("10%", "10%, T"):
            few = self._co_annotated()
            table = self._counted(few, None)
            return Given(table, self._temperature(few, table) if called == "10%, T" else {})
        if called == "elsewhere":
            return Given(self._counted(self._elsewhere(), 1.0))
        known = self._counted(np.asarray(self._train), 1.0)
        return Given(VARIANTS[called](known, self._seed[1]) if called in VARIANTS else known)

    def _rates(self) -> Relatedness:
        classes, attributes = self.tasks
        return marginal(
            self._table.labels[classes.name][self._kept.classes],
            self._table.labels[attributes.name][self._kept.attributes],
            classes=classes.labels,
            attributes=attributes.labels,
        )

    def _counted(self, rows: np.ndarray, strength: float | None) -> Relatedness:
        classes, attributes = self.tasks
        return estimate(
            self._table.labels[classes.name][rows],
            self._table.labels[attributes.name][rows],
            classes=classes.labels,
            attributes=attributes.labels,
            strength=strength,
        )

    def _temperature(self, rows: np.ndarray, table: Relatedness) -> dict[str, float]:
        classes, attributes = (self._table.labels[task.name][rows] for task in self.tasks)
        return {
            "temperature": best_temperature(classes, attributes, None, table, leave_one_out=True)
        }

    def _co_annotated(self) -> np.ndarray:
        """Return the few images that have both labels for the relatedness, and for it alone."""
        order = np.random.default_rng([*self._seed, 4]).permutation(np.asarray(self._train))
        return order[: round(CO_ANNOTATED * len(order))]

    def _elsewhere(self) -> np.ndarray:
        """Return the training images at one end of the first component of their features.

        They stand for another database of the same labels, which no real one has: other clothing
        on other people (suits and coats, or dresses), some classes hardly there.
        """
        rows = np.asarray(self._train)
        place = _components(self._table, tuple(self._train))[rows, 0]
        # The sign of a component is arbitrary: the end with the longer tail.
        outward = place if (place**3).sum() >= 0 else -place
        order = np.argsort(-outward, kind="stable")
        return rows[np.sort(order[: round(ELSEWHERE * len(rows))])]

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
