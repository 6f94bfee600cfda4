"""The one place where studies build models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from experiments.engine.problem import Problem
from mtl_dm.models import Coupling, MultiTaskModel
from mtl_dm.tasks import Task
from mtl_dm.training import assembly
from mtl_dm.training.config import TrainConfig


def build(
    problem: Problem, config: TrainConfig, tasks: Sequence[Task], source: tf.data.Dataset
) -> MultiTaskModel:
    """Return the model of a configuration; call it inside `fitting.settings(config)`.

    Args:
        problem: Has the relatedness that only it can make.
        config: Names backbone, balancing, forms and relatedness.
        tasks: Configured.
        source: Gives the shape of the inputs.
    """
    couplings = couplings_of(problem, config, tasks)
    return assembly.model_of(config, tuple(tasks), _shape(source), couplings=couplings)


def couplings_of(problem: Problem, config: TrainConfig, tasks: Sequence[Task]) -> list[Coupling]:
    """Return the couplings of a configuration.

    Raises:
        ValueError: If a name is unknown or parts do not fit each other.
        FileNotFoundError: If a relatedness needs a file or a data set that is not there.
    """
    if config.relatedness is None:
        return []
    given = problem.given(config.relatedness)
    if given is None:
        coupling = assembly.coupling_of(config, tuple(tasks))
        return [] if coupling is None else [coupling]
    classes, attributes = assembly.coupled_pair(tuple(tasks))
    return [
        Coupling(
            classes.name,
            attributes.name,
            given.relatedness,
            config.matching,
            config.co_annotation,
            config.matching_form,
            config.co_annotation_form,
            co_annotation_options=given.options,
            learned=given.learned,
        )
    ]


def _shape(source: tf.data.Dataset) -> Any:
    return tf.nest.map_structure(lambda spec: tuple(spec.shape), source.element_spec[0])
