"""Expressions, action units and valence-arousal from a database each, and compounds beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from experiments.engine.built import Built
from mtl_dm import data
from mtl_dm.compound import Observed, compound_task, few_shots, observe, zero_shots
from mtl_dm.models import MultiTaskModel
from mtl_dm.relatedness import Relatedness, compound_emotionet
from mtl_dm.reporting import mean_interval
from mtl_dm.tasks import Task
from mtl_dm.training.config import TrainConfig

ZERO_SHOT, FEW_SHOT = "compound_zero_shot", "compound_few_shot"
"""What the results call compounds without, and with a few examples."""
UAR, HALF_WIDTH = "uar", "half_width"
"""Metrics of them: unweighted average recall; of draws, half the width of its 95% interval."""
SCORES = ("zero_shot", "posterior", "product")
ON_ANNOTATED = "zero_shot, annotated units"
"""The first score with those action units alone that a training image is annotated for."""
SHOTS, DRAWS = (1, 5, 10), 20
MAIN_SCORE, MAIN_SHOTS = SCORES[0], ("class_means", 5)
"""What stands for each of the two in the main table, chosen before anything was measured."""


class Reading(NamedTuple):
    """Which data sets are read, and what of them.

    Attributes:
        test: Names of the test sets.
        only: By name of a data set, the tasks whose labels are read of it.
        further: By name in the results, a test set that is measured by itself, and the tasks whose
            labels are read of it.
        support: The data set that examples of compounds are drawn from.
        compounds: The one on which compounds are tested.
        unseen: As for `Built`.
        expected: Likewise.
    """

    test: Sequence[str]
    only: Mapping[str, Sequence[str]]
    further: Mapping[str, tuple[str, Sequence[str]]]
    support: str
    compounds: str
    unseen: Mapping[str, str] = {}
    expected: Mapping[str, int] = {}


class Behaviour(Built):
    """Three tasks, a database each; networks are then asked for compounds that none has learned.

    Args:
        config: What all rows share.
        reading: The data sets beside those that train.

    Raises:
        ValueError: As `Built`.
    """

    def __init__(self, config: TrainConfig, reading: Reading) -> None:
        super().__init__(
            config,
            reading.test,
            unseen=reading.unseen,
            expected=reading.expected,
            only=reading.only,
        )
        self._reading = reading
        self.record = {
            **self.record,
            "further": {name: list(each) for name, each in reading.further.items()},
            "compounds": [reading.support, reading.compounds],
            "draws": DRAWS,
        }

    def further(self, tasks: Sequence[Task]) -> Mapping[str, tf.data.Dataset]:
        """Return the test sets that are measured by themselves, those with a label of `tasks`."""
        found = {}
        for place, (name, read) in self._reading.further.items():
            own = [task for task in tasks if task.name in read]
            if own:
                found[place] = self._images(name, own)
        return found

    def reads(self) -> list[data.Outline]:
        """Return the data sets that training, measuring and compounds read."""
        reading = self._reading
        further = [name for name, _ in reading.further.values()]
        names = (*further, reading.support, reading.compounds)
        found = [data.outline(name, data_dir=self.config.data_dir) for name in names]
        return list({each.name: each for each in [*super().reads(), *found]}.values())

    def beside(self) -> Mapping[str, tf.data.Dataset]:
        """Return the further test sets and the compounds."""
        names = (self._reading.support, self._reading.compounds)
        return {
            **self.further(self.tasks),
            **{name: self._compounds(name)[1] for name in names},
        }

    def beyond(self, models: Sequence[MultiTaskModel]) -> Mapping[str, Mapping[str, float]]:
        """Return how well compounds are recognised, without and with a few examples."""
        task, tested = self._compounds(self._reading.compounds)
        _, support = self._compounds(self._reading.support)
        seen, drawn = observe(models, tested, task), observe(models, support, task)
        tasks = [each for model in models for each in model.tasks]
        return {
            ZERO_SHOT: dict(self._zero_shot(seen, tasks, task)),
            FEW_SHOT: dict(_few_shot(drawn, seen, task)),
        }

    def _compounds(self, name: str) -> tuple[Task, tf.data.Dataset]:
        task = compound_task(data.tasks_in(name, data_dir=self.config.data_dir), name)
        return task, self._images(name, [task])

    def _images(self, name: str, tasks: Sequence[Task]) -> tf.data.Dataset:
        config = self.config
        return data.load(name, data_dir=config.data_dir, tasks=tasks, image_size=config.image_size)

    def _zero_shot(
        self, seen: Observed, tasks: Sequence[Task], task: Task
    ) -> Iterator[tuple[str, float]]:
        table = compound_emotionet()
        found = zero_shots(seen, tasks, task, table, SCORES)
        (annotated,) = zero_shots(seen, tasks, task, self._annotated_in(table), SCORES[:1]).values()
        yield UAR, found[MAIN_SCORE]["uar"]
        yield "accuracy", found[MAIN_SCORE]["accuracy"]
        for score, metrics in {**found, ON_ANNOTATED: annotated}.items():
            yield f"{UAR}/{score}", metrics["uar"]
        for name in task.labels:
            yield f"recall/{name}", found[MAIN_SCORE][f"recall/{name}"]

    def _annotated_in(self, table: Relatedness) -> Relatedness:
        """Return the part of a table on action units that a training image is annotated for."""
        known = {
            label
            for task in self.tasks
            if task.name in self.scored
            for label, flag in zip(task.labels, self.scored[task.name], strict=True)
            if flag
        }
        return table.restrict(attributes=[unit for unit in table.attributes if unit in known])


def _few_shot(drawn: Observed, seen: Observed, task: Task) -> Iterator[tuple[str, float]]:
    found = few_shots(drawn, seen, task, DRAWS, SHOTS)
    yield UAR, float(np.mean(found[MAIN_SHOTS]))
    for (classifier, k), values in found.items():
        mean, half = mean_interval(values)
        yield f"{UAR}/{classifier}, k={k}", mean
        yield f"{HALF_WIDTH}/{classifier}, k={k}", half
