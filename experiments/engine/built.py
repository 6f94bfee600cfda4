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

    @functools.cached_property
    def scored(self) -> Mapping[str, np.ndarray]:  # type: ignore[override]
        """Which attributes a training image is annotated for."""
        known: dict[str, np.ndarray] = {}
        wanted = [task for task in self.tasks if task.kind == "multilabel"]
        for name in self.config.datasets:
            found = data.label_arrays(name, data_dir=self.config.data_dir, tasks=wanted)
            for task, (_, mask) in found.items():
                known[task] = np.maximum(known.get(task, 0.0), mask.max(axis=0))
        return known

    @property
    def apart(self) -> Mapping[str, Apart]:  # type: ignore[override]
        """The attributes that no training image is annotated for."""
        return {name: Apart(task, 1 - self.scored[task]) for task, name in self._unseen.items()}

    def sources(self, tasks: Sequence[Task]) -> list[tf.data.Dataset | None]:
        """Return the training sets."""
        found = [self._load(name, tasks) for name in self.config.datasets]
        return [source if source.element_spec[1] else None for source in found]

    def validation(self, tasks: Sequence[Task]) -> tf.data.Dataset | None:
        """Return the validation set."""
        return None if self._validation is None else self._load(self._validation, tasks)

    def test(self, tasks: Sequence[Task]) -> tf.data.Dataset:
        """Return the test set."""
        return self._load(self._test, tasks)

    def _load(self, name: str, tasks: Sequence[Task]) -> tf.data.Dataset:
        config = self.config
        return data.load(name, data_dir=config.data_dir, tasks=tasks, image_size=config.image_size)
