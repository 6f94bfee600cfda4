"""One cell of the study: a row trained on a problem, tested once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from experiments.coupling.rows import Row
from mtl_dm import data
from mtl_dm.data.merging import places_per_batch
from mtl_dm.measuring.evaluation import choose_thresholds, evaluate_tuned
from mtl_dm.models import BACKBONES, Coupling, MultiTaskModel
from mtl_dm.relatedness import Relatedness
from mtl_dm.runs.cells import Measurement
from mtl_dm.tasks import Task
from mtl_dm.training import fitting
from mtl_dm.training.config import TrainConfig


class Problem(Protocol):
    """Data of one cell: a regime, a split, a seed."""

    config: TrainConfig
    tasks: tuple[Task, Task]

    def sources(self, tasks: Sequence[Task]) -> list[tf.data.Dataset]:
        """Return the training sources that are annotated for any of `tasks`."""

    def held_out(self, tasks: Sequence[Task]) -> tf.data.Dataset:
        """Return images, fully annotated, to choose thresholds on."""

    def test(self, tasks: Sequence[Task]) -> tf.data.Dataset:
        """Return the test images, fully annotated."""

    def relatedness(self, name: str) -> Relatedness:
        """Return the relatedness that a row names."""

    def options(self, name: str) -> Mapping[str, float]:
        """Return the options of the co-annotation form that go with a relatedness."""

    def columns(self) -> Mapping[str, np.ndarray] | None:
        """Return which labels are scored; None: all."""


def measure(problem: Problem, row: Row) -> Measurement:
    """Train a row and return its test metrics, at 0.5 and at thresholds of the held-out images."""
    tasks = tuple(
        task.replace(reduction=row.reduction) if task.kind == "multilabel" else task
        for task in problem.tasks
    )
    groups = [(task,) for task in tasks] if row.single_task else [tasks]
    metrics: dict[str, Mapping[str, float]] = {}
    steps = 0
    for group in groups:
        model = _trained(problem, row, group)
        columns = problem.columns()
        thresholds = choose_thresholds(model, problem.held_out(group), columns=columns)
        found = evaluate_tuned(model, problem.test(group), thresholds, columns=columns)
        # Averages alone: a study has hundreds of cells, and labels by themselves say little.
        metrics.update(
            {
                name: {metric: value for metric, value in values.items() if "/" not in metric}
                for name, values in found.items()
            }
        )
        steps = int(model.optimizer.iterations.numpy())
    return Measurement(metrics, steps)


def _trained(problem: Problem, row: Row, tasks: Sequence[Task]) -> MultiTaskModel:
    sources = problem.sources(tasks)
    config = problem.config
    if len(sources) == 1:
        config = _alone(problem, tasks)
    couplings = [_coupling(problem, row)] if row.coupled else []
    watched = None
    if row.brake:
        watched = problem.held_out(tasks)
        config = config.replace(
            validation_gate=True, relatedness=row.relatedness, validation="held out"
        )
    with fitting.settings(config):
        backbone = BACKBONES.get(config.backbone)(tuple(sources[0].element_spec[0].shape))
        model = MultiTaskModel(backbone, tasks, couplings)
        fitting.fit(model, sources, config, validation=watched)
    return model


def _alone(problem: Problem, tasks: Sequence[Task]) -> TrainConfig:
    """Return the configuration of training on one source.

    A single task sees as many of its own images a step, in as many steps, as beside the other.
    """
    config = problem.config.replace(shares=None, datasets=problem.config.datasets[:1])
    both = problem.sources(problem.tasks)
    if len(both) == 1:
        return config
    shares = problem.config.shares or [int(source.cardinality()) for source in both]
    places = places_per_batch(shares, config.batch_size, len(both))
    own = [task.name for task in problem.tasks].index(tasks[0].name)
    steps = config.steps_per_epoch or data.steps_per_epoch(both, config.batch_size, shares)
    return config.replace(batch_size=places[own], steps_per_epoch=steps)


def _coupling(problem: Problem, row: Row) -> Coupling:
    classes, attributes = problem.tasks
    return Coupling(
        classes.name,
        attributes.name,
        problem.relatedness(row.relatedness),
        row.matching,
        row.co_annotation,
        row.matching_form,
        row.co_annotation_form,
        co_annotation_options=problem.options(row.relatedness),
        learned=row.relatedness == "learned",
    )
