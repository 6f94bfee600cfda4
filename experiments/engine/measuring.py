"""One cell from its training to its test metrics, the same way for every study."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from experiments.engine.cell import StudyCell
from experiments.engine.distillation import with_teachers
from experiments.engine.keeping import keep, kept
from experiments.engine.networks import (
    Network,
    Sources,
    configuration,
    fit,
    groups_of,
    part_of,
)
from experiments.engine.problem import Problem
from mtl_dm.measuring.calibration import calibration_errors
from mtl_dm.measuring.evaluation import choose_thresholds, evaluate, evaluate_tuned
from mtl_dm.measuring.evidence import Fitted, collect
from mtl_dm.models import MultiTaskModel
from mtl_dm.runs.cells import Measurement
from mtl_dm.tasks import Task
from mtl_dm.training.config import TrainConfig

Metrics = dict[str, Mapping[str, float]]
Thresholds = dict[str, np.ndarray]


def measure(cell: StudyCell) -> Measurement:
    """Train a cell's networks and return their test metrics, steps and evidence."""
    problem = cell.make()
    config = configuration(problem, cell.method)
    metrics: Metrics = {}
    thresholds: Thresholds = {}
    networks = []
    for group in groups_of(problem, config, cell.method):
        network = _trained(cell, problem, config, group)
        chosen = _thresholds(cell, problem, config, group, network.model)
        metrics.update(tested(problem, network.model, chosen))
        thresholds.update(chosen)
        networks.append(network)
    metrics.update(problem.beyond([network.model for network in networks]))
    steps = max(network.steps for network in networks)
    if not cell.detailed:
        return Measurement(_averages(metrics), steps)
    fitted = [
        Fitted(network.model, problem.test(network.model.tasks), network.history)
        for network in networks
    ]
    return Measurement(
        metrics, steps, collect(fitted, columns=problem.scored, thresholds=thresholds)
    )


def tested(problem: Problem, model: MultiTaskModel, thresholds: Thresholds) -> Metrics:
    """Return a network's test metrics; labels and images apart have them under their own names.

    Args:
        problem: Has the test images.
        model: A built model.
        thresholds: By task name; metrics with them stand beside those at 0.5.
    """
    source = problem.test(model.tasks)
    metrics: Metrics = {**_scored(problem, model, source, thresholds)}
    for name, (task, labels) in problem.apart.items():
        if task in metrics:
            metrics[name] = evaluate(model, source, columns={task: labels})[task]
    for place, images in problem.further(model.tasks).items():
        found = _scored(problem, model, images, thresholds)
        metrics.update({f"{task}_{place}": values for task, values in found.items()})
    return metrics


def _scored(
    problem: Problem, model: MultiTaskModel, source: tf.data.Dataset, thresholds: Thresholds
) -> dict[str, dict[str, float]]:
    found = evaluate_tuned(model, source, thresholds, columns=problem.scored)
    if problem.calibrated:
        for task, error in calibration_errors(model, source, problem.scored).items():
            found[task]["ece"] = error
    return found


def _trained(
    cell: StudyCell, problem: Problem, config: TrainConfig, group: Sequence[Task]
) -> Network:
    own, sources = part_of(problem, config, group)
    method = cell.method
    start = None
    if method.teachers is not None:
        sources = _with_teachers(cell, method.teachers, problem, group)
    if method.starts_from is not None:
        start = kept(cell, method.starts_from, problem, [task.name for task in group])
    network = fit(problem, own, group, sources, start)
    if cell.kept:
        keep(cell, problem, own, network)
    return network


def _with_teachers(cell: StudyCell, row: str, problem: Problem, group: Sequence[Task]) -> Sources:
    @functools.cache
    def teacher(task: Task) -> MultiTaskModel:
        return kept(cell, row, problem, [task.name])

    labelled = [(task, problem.sources([task])) for task in group]

    def lacking(place: int) -> list[Task]:
        return [task for task, own in labelled if own[place] is None or problem.gaps]

    return [
        with_teachers(problem, source, lacking(place), teacher)
        for place, source in enumerate(problem.sources(group))
        if source is not None
    ]


def _thresholds(
    cell: StudyCell,
    problem: Problem,
    config: TrainConfig,
    group: Sequence[Task],
    model: MultiTaskModel,
) -> Thresholds:
    """Return a network's thresholds; none without attributes, or images to choose them on."""
    if all(task.kind != "multilabel" for task in group):
        return {}
    inner = problem.inner()
    if inner is None:
        source = problem.validation(group)
    else:
        if cell.method.needs:
            raise ValueError(
                f"Row {cell.plan.row!r} uses networks of other rows, which have seen the images "
                f"that {cell.plan.column!r} holds out for thresholds."
            )
        own, sources = part_of(inner, config, group)
        model = fit(inner, own, group, sources).model
        source = inner.test(group)
    return {} if source is None else choose_thresholds(model, source, columns=problem.scored)


def _averages(metrics: Metrics) -> Metrics:
    return {
        task: {name: value for name, value in values.items() if "/" not in name}
        for task, values in metrics.items()
    }
