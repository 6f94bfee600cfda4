"""The Clothing Attribute Dataset, one half to train on and one to test on, all labels there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from experiments.engine.problem import Given, Problem
from experiments.problems.clothing_data import (
    NAME,
    REPEATS,
    SPLIT_SEED,
    ClothingData,
    Halves,
    hold_out,
)
from mtl_dm import data
from mtl_dm.relatedness import from_annotations
from mtl_dm.tasks import Task
from mtl_dm.training.config import TrainConfig

COUNTED = "counted on the training half"
HELD_OUT = 0.2


class ClothingHalves(Problem):
    """One fold of one halving, on frozen features or on images.

    There is no validation split. A network's scores of images that it was trained on are too sure
    to choose thresholds on, and training every row on less would give other numbers than the
    paper's protocol. So thresholds are those of a second network, trained alike on four fifths of
    the half (`inner`; relatedness counted and features scaled on these alone), on the fifth that it
    never saw; the first network, trained on the whole half, uses them. All rows hold out the same
    images. What it costs: a second training where there are attributes, and thresholds that are
    noisy for attributes with few positives in the fifth. Five such trainings, each fifth held out
    once, gave 1 to 2 points of F1 more in two cells; that would be four times the cost.

    Args:
        table: Labels, features and folds.
        halves: Rows to train on, rows to test on.
        options: Fields of the configuration; `image_size` None: frozen features.
        inner: The training half in two parts, to choose thresholds; None: none are chosen.
    """

    def __init__(
        self,
        table: ClothingData,
        halves: Halves,
        options: Mapping[str, Any],
        inner: Halves | None = None,
    ) -> None:
        self._table = table
        self._halves = halves
        self._options = dict(options)
        self._inner = inner
        self.tasks = table.tasks
        self.config = TrainConfig(
            datasets=(NAME,),
            data_dir=table.data_dir,
            tasks=tuple(task.name for task in self.tasks),
            **options,
        )
        self.names = {"counted": COUNTED}
        part = f"{HELD_OUT} held out of the training half"
        self.record = {
            "split_seed": SPLIT_SEED,
            "repeats": REPEATS,
            "thresholds_from": None if inner is None else part,
        }

    def sources(self, tasks: Sequence[Task]) -> list[tf.data.Dataset | None]:
        """Return the training half; images without any label of `tasks` are left out."""
        return [self._source(self._training_rows(tasks), tasks)]

    def sizes(self, tasks: Sequence[Task]) -> list[int | None]:
        """Return the number of training images with a label of `tasks`."""
        return [len(self._training_rows(tasks))]

    def input_shape(self) -> tuple[int, ...]:
        """Return the shape of an image, or of an image's features."""
        side = self.config.image_size
        return self._table.features().shape[1:] if side is None else (side, side, 3)

    def reads(self) -> list[data.Outline]:
        """Return the built data set."""
        return [data.outline(NAME, data_dir=self._table.data_dir)]

    def test(self, tasks: Sequence[Task]) -> tf.data.Dataset:
        """Return the other half; images without any label at all are left out, for every row."""
        return self._source(self._table.annotated(self._halves.held, self.tasks), tasks)

    def inner(self) -> Problem | None:
        """Return four fifths of the training half with the fifth as their test images."""
        if self._inner is None:
            return None
        return ClothingHalves(self._table, self._inner, self._options)

    def given(self, name: str) -> Given | None:
        """Return the relatedness counted on the training half alone."""
        if name != COUNTED:
            return None
        classes, attributes = self.tasks
        train = self._halves.train
        return Given(
            from_annotations(
                self._table.labels[classes.name][train],
                self._table.labels[attributes.name][train],
                classes=classes.labels,
                attributes=attributes.labels,
            )
        )

    def _training_rows(self, tasks: Sequence[Task]) -> np.ndarray:
        return self._table.annotated(self._halves.train, tasks)

    def _source(self, rows: np.ndarray, tasks: Sequence[Task]) -> tf.data.Dataset:
        table = self._table
        if self.config.image_size is not None:
            return data.load(
                NAME,
                data_dir=table.data_dir,
                tasks=tasks,
                image_size=self.config.image_size,
                only=("index", table.index[rows]),
            )
        features = table.features()
        training = features[self._training_rows(tasks)]
        mean, spread = training.mean(axis=0), training.std(axis=0)
        scaled = (features - mean) / (spread + 1e-6)
        labels = {task.name: table.labels[task.name][rows] for task in tasks}
        return data.from_arrays(scaled[rows], labels, tasks)


def halves_of(table: ClothingData, repeat: int, fold: int) -> Halves:
    """Return the rows to train and to test on in one fold of one halving."""
    return Halves(table.halves[repeat][fold], table.halves[repeat][1 - fold])


def thresholds_part(table: ClothingData, repeat: int, fold: int) -> Halves:
    """Return a training half in two parts, the second to choose thresholds on."""
    train = halves_of(table, repeat, fold).train
    return hold_out(train, HELD_OUT, (SPLIT_SEED, repeat, fold))
