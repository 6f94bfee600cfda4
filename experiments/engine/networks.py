"""A cell's networks: which tasks each has, its configuration, its training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from experiments.engine.building import build
from experiments.engine.method import Method
from experiments.engine.problem import Problem
from mtl_dm import data
from mtl_dm.data.merging import places_per_batch
from mtl_dm.measuring.evidence import History
from mtl_dm.models import MultiTaskModel
from mtl_dm.spec import parse
from mtl_dm.tasks import Task
from mtl_dm.training import assembly, fitting, stages
from mtl_dm.training.config import TrainConfig

Sources = list[tf.data.Dataset]
_OF_SOURCES = ("datasets", "shares", "batch_size", "steps_per_epoch")


class Network(NamedTuple):
    """A trained model, the history of its training and the steps that it took."""

    model: MultiTaskModel
    history: History
    steps: int


def configuration(problem: Problem, method: Method) -> TrainConfig:
    """Return the configuration of a row: the problem's, changed by the row.

    Args:
        problem: Also says what the row's name of a relatedness means here.
        method: The row.

    Raises:
        ValueError: If a value breaks its rule, or stages could not tell the data sets apart.
    """
    values = dict(method.changes)
    name = values.get("relatedness", "")
    if name in problem.names:
        values["relatedness"] = problem.names[name]
    config = problem.config.replace(**values)
    if config.stages and len(set(config.datasets)) < len(config.datasets):
        raise ValueError(
            "Stages choose data sets by name, so a problem with stages needs different names, got "
            f"datasets {list(config.datasets)}."
        )
    return config


def groups_of(problem: Problem, config: TrainConfig, method: Method) -> list[tuple[Task, ...]]:
    """Return the tasks of each network of a row, as configured."""
    tasks = tuple(assembly.configured(task, config) for task in problem.tasks)
    return [(task,) for task in tasks] if method.single_task else [tasks]


def part_of(
    problem: Problem, config: TrainConfig, group: Sequence[Task]
) -> tuple[TrainConfig, Sources]:
    """Return the configuration and the sources of one network.

    A network of some of the tasks is not coupled. Where its tasks stand in some of the sources
    only, it sees as many of their images a step, in as many steps, as the network of all tasks.

    Args:
        problem: The problem.
        config: The row's.
        group: The network's tasks.

    Raises:
        ValueError: If stages say themselves what is read of sources of which it sees a part.
    """
    own = problem.sources(group)
    kept = [place for place, source in enumerate(own) if source is not None]
    sources = [source for source in own if source is not None]
    if len(group) == len(problem.tasks):
        return config, sources
    names = tuple(task.name for task in group)
    weights = {name: value for name, value in config.task_weights.items() if name in names}
    losses = {name: value for name, value in config.task_losses.items() if name in names}
    alone = config.replace(
        tasks=names,
        relatedness=None,
        couplings=(),
        chain=(),
        validation_gate=False,
        task_weights=weights,
        task_losses=losses,
    )
    if len(kept) == len(own):
        return alone, sources
    _require_same_data_in_stages(config, names)
    every = [source for source in problem.sources(problem.tasks) if source is not None]
    shares = config.shares or [int(source.cardinality()) for source in every]
    places = places_per_batch(shares, config.batch_size, len(every))
    steps = config.steps_per_epoch or data.steps_per_epoch(every, config.batch_size, shares)
    return alone.replace(
        datasets=tuple(config.datasets[place] for place in kept),
        shares=None if len(kept) == 1 else tuple(float(places[place]) for place in kept),
        batch_size=sum(places[place] for place in kept),
        steps_per_epoch=steps,
    ), sources


def _require_same_data_in_stages(config: TrainConfig, names: Sequence[str]) -> None:
    for stage in map(parse, config.stages):
        own = [option for option in _OF_SOURCES if option in stage.options]
        if own:
            raise ValueError(
                f"A network of {list(names)} alone reads a part of the data sets in batches of its "
                f"own, so no stage may set {', '.join(_OF_SOURCES)}; stage {stage.name!r} sets "
                f"{own}."
            )


def fit(
    problem: Problem,
    config: TrainConfig,
    group: Sequence[Task],
    sources: Sources,
    start: MultiTaskModel | None = None,
) -> Network:
    """Return a network, trained, in stages where the configuration has them.

    Args:
        problem: The problem.
        config: The network's own, of `part_of`.
        group: Its tasks.
        sources: Its sources.
        start: A model whose backbone's weights it starts from.
    """
    # Where a configuration names validation data, training looks at them.
    watched = None if config.validation is None else problem.validation(group)
    with fitting.settings(config):
        model = build(problem, config, group, sources[0])
        if start is not None:
            model.backbone.set_weights(start.backbone.get_weights())
        if not config.stages:
            history = fitting.fit(model, sources, config, validation=watched).history
            return Network(model, history, int(model.optimizer.iterations.numpy()))
        parts = stages.stages_of(config, sources)
        done = stages.train_stages(model, parts, validation=watched)
    # Every stage has an optimizer of its own, which counts its own steps.
    steps = [
        progress.epochs * fitting.steps_of(stage.sources, stage.config)
        for stage, progress in zip(parts, done, strict=False)
    ]
    return Network(model, stages.joined_history(done), sum(steps))
