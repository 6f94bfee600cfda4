"""What a cell is trained and tested on."""

from __future__ import annotations

import abc
import types
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from mtl_dm.relatedness import Relatedness
from mtl_dm.tasks import Task
from mtl_dm.training.config import TrainConfig

_NONE: Mapping[str, Any] = types.MappingProxyType({})


class Given(NamedTuple):
    """A relatedness that a problem has itself, counted on its training data for example.

    Attributes:
        relatedness: The table.
        options: Options of the co-annotation form that go with it.
        learned: It is a start, which training replaces.
    """

    relatedness: Relatedness
    options: Mapping[str, float] = _NONE
    learned: bool = False


class Apart(NamedTuple):
    """Labels of a task that are measured under a name of their own.

    Attributes:
        task: Name of the task.
        labels: float [size], 1 for the labels that are meant.
    """

    task: str
    labels: np.ndarray


class Problem(abc.ABC):
    """The data of one cell: one split, one seed, any number of tasks and sources.

    Attributes:
        config: What all rows share; a row changes it. Its `datasets` name the training sources.
        tasks: The tasks.
        record: What decides a cell's values beside the configuration, as JSON values.
        names: What a row calls a relatedness -> what it is here, as the configuration records it:
            one that `mtl_dm.training.assembly` can make, or one that `given` has.
        scored: By task name, float [size] with 1 for labels that are measured and have thresholds
            chosen, 0 for others; a task not named is measured whole.
        apart: By name in the results, labels that are measured by themselves.
    """

    config: TrainConfig
    tasks: tuple[Task, ...]
    record: Mapping[str, Any] = _NONE
    names: Mapping[str, str] = _NONE
    scored: Mapping[str, np.ndarray] = _NONE
    apart: Mapping[str, Apart] = _NONE

    @abc.abstractmethod
    def sources(self, tasks: Sequence[Task]) -> list[tf.data.Dataset | None]:
        """Return the training sources in the order of `config.datasets`.

        Args:
            tasks: Tasks to read labels of.

        Returns:
            Unbatched (input, labels, masks); None for a source without a label of these tasks.
        """

    @abc.abstractmethod
    def test(self, tasks: Sequence[Task]) -> tf.data.Dataset:
        """Return the test images, the same for every row, with the labels of `tasks`."""

    def further(self, tasks: Sequence[Task]) -> Mapping[str, tf.data.Dataset]:
        """Return test images of another kind by name, each measured under names of its own.

        What a task scores on those called "lfw" is `expression_lfw` in the results.

        Args:
            tasks: Tasks to read labels of.
        """
        del tasks
        return {}

    def validation(self, tasks: Sequence[Task]) -> tf.data.Dataset | None:
        """Return images that no row trains on, to choose thresholds on; None: there are none."""
        del tasks
        return None

    def inner(self) -> Problem | None:
        """Return a part of the training data as a problem; None: thresholds need none.

        A network that is trained alike on it chooses the thresholds on its `test`.
        """
        return None

    def given(self, name: str) -> Given | None:
        """Return the relatedness that the configuration calls `name`; None: assembly knows it."""
        del name
        return None
