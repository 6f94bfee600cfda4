"""A cell's networks: which tasks each has, its configuration, its training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from experiments.engine.building import build
from experiments.engine.method import Method
from experiments.engine.problem import UNKNOWN, Problem, sizes_of
from mtl_dm.data.merging import epoch_length, interleaving, places_per_batch
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
    sources = [source for source in own if source is not None]
    return own_config(problem, config, group, sizes_of(own)), sources


def own_config(
    problem: Problem, config: TrainConfig, group: Sequence[Task], sizes: Sequence[int | None]
) -> TrainConfig:
    """Return the configuration of one network, as `part_of`.

    Args:
        problem: The problem.
        config: The row's.
        group: The network's tasks.
        sizes: `problem.sizes(group)`.

    Raises:
        ValueError: As `part_of`, or if it takes the size of a source that is not there.
    """
    if len(group) == len(problem.tasks):
        return config
    kept = [place for place, size in enumerate(sizes) if size is not None]
    names = tuple(task.name for task in group)
    weights = {name: value for name, value in config.task_weights.items() if name in names}
    losses = {name: value for name, value in config.task_losses.items() if name in names}
    alone = config.replace(
        tasks=names,
        relatedness=None,
        couplings=(),
        chain=(),
        validation_gate=False,
        backbone=problem.backbone_of(config, names),
        terms=tuple(term for term in config.terms if _of_one(term, names)),
        task_weights=weights,
        task_losses=losses,
    )
    if len(kept) == len(sizes):
        return alone
    _require_same_data_in_stages(config, names)
    places, steps = batches_of(problem, config)
    return alone.replace(
        datasets=tuple(config.datasets[place] for place in kept),
        shares=None if len(kept) == 1 else tuple(float(places[place]) for place in kept),
        batch_size=sum(places[place] for place in kept),
        steps_per_epoch=steps,
    )


def _of_one(term: str, names: Sequence[str]) -> bool:
    """Return whether a term is a part of none but these tasks' losses."""
    task = parse(term).options.get("task")
    return task is None or task in names


def batches_of(problem: Problem, config: TrainConfig) -> tuple[list[int], int]:
    """Return the places of each source in a batch of all tasks, and the steps of an epoch.

    Raises:
        ValueError: If shares do not fit, or the size of a source is needed that is not there.
    """
    shares, steps = config.shares, config.steps_per_epoch
    if shares is not None and steps is not None:
        return places_per_batch(shares, config.batch_size, len(shares)), steps
    sizes = [size for size in problem.sizes(problem.tasks) if size is not None]
    if UNKNOWN in sizes:
        raise ValueError("The steps of an epoch are not known before the data sets are built.")
    places = places_per_batch(shares or sizes, config.batch_size, len(sizes))
    length = epoch_length(interleaving(places), sizes, places)
    return places, steps or -(-length // config.batch_size)


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
        start: A model that it starts from, as `Problem.start` says.
    """
    # Where a configuration names validation data, training looks at them.
    watched = None if config.validation is None else problem.validation(group)
    with fitting.settings(config):
        model = build(problem, config, group, sources[0])
        if start is not None:
            problem.start(model, start)
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
