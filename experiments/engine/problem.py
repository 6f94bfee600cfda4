"""What a cell is trained and tested on."""

from __future__ import annotations

import abc
import types
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from mtl_dm.data.outline import Outline
from mtl_dm.models import MultiTaskModel
from mtl_dm.relatedness import Relatedness
from mtl_dm.tasks import Task
from mtl_dm.training import assembly
from mtl_dm.training.config import TrainConfig

_NONE: Mapping[str, Any] = types.MappingProxyType({})
UNKNOWN = -1
"""Size of a source that is not there."""


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
        by_name: Whether its training sources are the data sets of `config.datasets`, whole, so that
            `python -m mtl_dm.train` can train on the same.
        calibrated: Whether the calibration error of its tasks is measured too, as "ece".
        gaps: Whether teachers also label single examples that a source has no label of, not whole
            sources alone.
    """

    config: TrainConfig
    tasks: tuple[Task, ...]
    record: Mapping[str, Any] = _NONE
    names: Mapping[str, str] = _NONE
    scored: Mapping[str, np.ndarray] = _NONE
    apart: Mapping[str, Apart] = _NONE
    by_name: bool = False
    calibrated: bool = False
    gaps: bool = False

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

    def sizes(self, tasks: Sequence[Task]) -> list[int | None]:
        """Return the sizes of what `sources` returns, without reading it where that is possible.

        Args:
            tasks: As for `sources`.

        Returns:
            None for a source without a label of these tasks, `UNKNOWN` for one that is not there.
        """
        return sizes_of(self.sources(tasks))

    def input_shape(self) -> Any:
        """Return the shape of one input, or shapes by name."""
        given = (source for source in self.sources(self.tasks) if source is not None)
        return assembly.input_shape_of(next(given))

    def reads(self) -> list[Outline]:
        """Return the data sets that training and measuring read, whether built or not."""
        return []

    def further(self, tasks: Sequence[Task]) -> Mapping[str, tf.data.Dataset]:
        """Return test images of another kind by name, each measured under names of its own.

        What a task scores on those called "lfw" is `expression_lfw` in the results.

        Args:
            tasks: Tasks to read labels of.
        """
        del tasks
        return {}

    def beside(self) -> Mapping[str, tf.data.Dataset]:
        """Return what is read beside sources, validation and test, by name.

        Asked for once before cells compute side by side, so that no two of them build it.
        """
        return {}

    def beyond(self, models: Sequence[MultiTaskModel]) -> Mapping[str, Mapping[str, float]]:
        """Return what trained networks achieve in tasks that they were not trained for.

        Args:
            models: The networks of a cell, with different tasks.

        Returns:
            Metrics by name of such a task.
        """
        del models
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

    def pretraining(self) -> Problem:
        """Return what a row of pretraining trains on; its tests are those of this problem.

        Raises:
            ValueError: If there is no such thing.
        """
        raise ValueError(f"{type(self).__name__} has nothing to pretrain on.")

    def backbone_of(self, config: TrainConfig, names: Sequence[str]) -> str:
        """Return the backbone of a network of some of the tasks.

        Args:
            config: Of the network of all tasks.
            names: Of the tasks.
        """
        del names
        return config.backbone

    def start(self, model: MultiTaskModel, other: MultiTaskModel) -> None:
        """Give a model the weights of another row's network to start from.

        Args:
            model: New; some of the problem's tasks.
            other: Trained, of the same backbone.
        """
        model.backbone.set_weights(other.backbone.get_weights())

    def given(self, name: str) -> Given | None:
        """Return the relatedness that the configuration calls `name`; None: assembly knows it."""
        del name
        return None


def sizes_of(sources: Sequence[tf.data.Dataset | None]) -> list[int | None]:
    """Return the number of elements of each source; None for none."""
    return [None if source is None else int(source.cardinality()) for source in sources]
