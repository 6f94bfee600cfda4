"""Problems on data sets that are built by name, each annotated for tasks of its own."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from experiments.engine.problem import Apart, Problem
from mtl_dm import data
from mtl_dm.tasks import Task
from mtl_dm.training import assembly
from mtl_dm.training.config import TrainConfig


class Built(Problem):
    """Training, validation and test sets by name.

    Attributes that no training image is annotated for have no thresholds chosen: whoever has no
    label to train on has none to choose a threshold on either.

    Args:
        config: What all rows share.
        test: Name of the test set, as for `mtl_dm.data.load`.
        thresholds_from: Name of the validation set; None: no thresholds are chosen.
        unseen: By name of a multilabel task, the name in the results of those of its attributes
            that no training image is annotated for.

    Raises:
        ValueError: If a name is unknown, or the data sets disagree on labels.
        FileNotFoundError: If a data set is not built.
    """

    def __init__(
        self,
        config: TrainConfig,
        test: str,
        thresholds_from: str | None = None,
        unseen: Mapping[str, str] | None = None,
    ) -> None:
        self.config = config
        self.tasks = assembly.tasks_of(config)
        self._test, self._validation = test, thresholds_from
        self._unseen = unseen or {}
        self.record = {"test": test, "thresholds_from": thresholds_from}

    @property
    def _annotated(self) -> list[dict[str, np.ndarray]]:
        config = self.config
        return [_annotated(name, config.data_dir, self.tasks) for name in config.datasets]

    @functools.cached_property
    def scored(self) -> Mapping[str, np.ndarray]:  # type: ignore[override]
        """Which attributes a training image is annotated for."""
        known: dict[str, np.ndarray] = {}
        for task in self.tasks:
            if task.kind == "multilabel":
                flags = [each[task.name] for each in self._annotated if task.name in each]
                known[task.name] = np.max(flags, axis=0)
        return known

    @property
    def apart(self) -> Mapping[str, Apart]:  # type: ignore[override]
        """The attributes that no training image is annotated for."""
        return {name: Apart(task, 1 - self.scored[task]) for task, name in self._unseen.items()}

    def sources(self, tasks: Sequence[Task]) -> list[tf.data.Dataset | None]:
        """Return the training sets; a feature for a task without a single label is none."""
        return [
            self._load(name, tasks)
            if any(np.any(annotated.get(task.name, 0)) for task in tasks)
            else None
            for name, annotated in zip(self.config.datasets, self._annotated, strict=True)
        ]

    def validation(self, tasks: Sequence[Task]) -> tf.data.Dataset | None:
        """Return the validation set."""
        return None if self._validation is None else self._load(self._validation, tasks)

    def test(self, tasks: Sequence[Task]) -> tf.data.Dataset:
        """Return the test set."""
        return self._load(self._test, tasks)

    def _load(self, name: str, tasks: Sequence[Task]) -> tf.data.Dataset:
        config = self.config
        return data.load(name, data_dir=config.data_dir, tasks=tasks, image_size=config.image_size)


@functools.lru_cache(maxsize=8)
def _annotated(name: str, data_dir: str, tasks: tuple[Task, ...]) -> dict[str, np.ndarray]:
    """Return by task which labels any image of a set is annotated for; read once in a process."""
    found = data.label_arrays(name, data_dir=data_dir, tasks=tasks, one_hot=False)
    return {task: mask.max(axis=0) for task, (_, mask) in found.items()}
