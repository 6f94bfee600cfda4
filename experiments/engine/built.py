"""Problems on data sets that are built by name, each annotated for tasks of its own."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from experiments.engine.problem import UNKNOWN, Apart, Problem
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
        test: Name of the test set, as for `mtl_dm.data.load`, or names: each measures the tasks
            that it is annotated for. Every network sees the images of all.
        thresholds_from: Name or names of the validation set; None: no thresholds are chosen.
        unseen: By name of a multilabel task, the name in the results of those of its attributes
            that no training image is annotated for.
        expected: By name of a training set, its size where it is not built.
        only: By name of a data set, the tasks whose labels are read of it; all of one that is not
            named.

    Raises:
        ValueError: If a name is unknown, or the data sets disagree on labels.
    """

    by_name = True

    def __init__(
        self,
        config: TrainConfig,
        test: str | Sequence[str],
        thresholds_from: str | Sequence[str] | None = None,
        unseen: Mapping[str, str] | None = None,
        expected: Mapping[str, int] | None = None,
        only: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.config = config
        self.tasks = assembly.tasks_of(config, built=False)
        self._test, self._validation = _names(test), _names(thresholds_from)
        self._unseen = unseen or {}
        self._expected = expected or {}
        self._only = only or {}
        self.record = {"test": test, "thresholds_from": thresholds_from}
        if self._only:
            self.by_name = False  # A command would read the other labels too.
            self.record["only"] = {name: list(tasks) for name, tasks in self._only.items()}

    @property
    def _annotated(self) -> list[dict[str, np.ndarray]]:
        return [self._annotations(name) for name in self.config.datasets]

    def _annotations(self, name: str) -> dict[str, np.ndarray]:
        found = _annotated(name, self.config.data_dir, self.tasks)
        return {task: flags for task, flags in found.items() if self._reads(name, task)}

    def _reads(self, name: str, task: str) -> bool:
        return task in self._only.get(name, (task,))

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

    def sizes(self, tasks: Sequence[Task]) -> list[int | None]:
        """Return the sizes of the training sets, of those that are not built the expected ones."""
        return list(self._sizes({task.name for task in tasks}))

    def _sizes(self, wanted: set[str]) -> Iterator[int | None]:
        config = self.config
        for name in config.datasets:
            found = data.outline(name, data_dir=config.data_dir)
            labelled = {task for task in found.labelled if self._reads(name, task)}
            if found.built:
                every = self._annotations(name)
                labelled = {task for task, flags in every.items() if np.any(flags)}
            yield (found.size or self._expected.get(name, UNKNOWN)) if wanted & labelled else None

    def input_shape(self) -> Any:
        """Return the shape of an image, or of all that the data set says a network sees."""
        found = data.outline(self.config.datasets[0], data_dir=self.config.data_dir)
        side = self.config.image_size or found.side
        image = (side, side, 3)
        if found.inputs is None:
            return image
        return {**found.inputs, **({"image": image} if "image" in found.inputs else {})}

    def reads(self) -> list[data.Outline]:
        """Return the data sets that training and measuring read."""
        names = dict.fromkeys((*self.config.datasets, *self._test, *self._validation))
        found = [data.outline(name, data_dir=self.config.data_dir) for name in names]
        return list({each.name: each for each in found}.values())

    def validation(self, tasks: Sequence[Task]) -> tf.data.Dataset | None:
        """Return the validation set."""
        return self._joined(self._validation, tasks) if self._validation else None

    def test(self, tasks: Sequence[Task]) -> tf.data.Dataset:
        """Return the test set."""
        return self._joined(self._test, tasks)

    def _joined(self, names: Sequence[str], tasks: Sequence[Task]) -> tf.data.Dataset:
        # All of them, also without a label of these tasks: every network has the same images.
        return data.joined([self._load(name, tasks) for name in names])

    def _load(self, name: str, tasks: Sequence[Task]) -> tf.data.Dataset:
        config = self.config
        read = [task for task in tasks if self._reads(name, task.name)]
        return data.load(name, data_dir=config.data_dir, tasks=read, image_size=config.image_size)


def _names(given: str | Sequence[str] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)


@functools.lru_cache(maxsize=8)
def _annotated(name: str, data_dir: str, tasks: tuple[Task, ...]) -> dict[str, np.ndarray]:
    """Return by task which labels any image of a set is annotated for; read once in a process."""
    found = data.label_arrays(name, data_dir=data_dir, tasks=tasks, one_hot=False)
    return {task: mask.max(axis=0) for task, (_, mask) in found.items()}
