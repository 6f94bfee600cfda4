"""The one place where studies build models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from experiments.engine.problem import Problem
from mtl_dm.models import BACKBONES, MultiTaskModel
from mtl_dm.models.coupling import AnyCoupling
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
    return assembly.model_of(
        config, tuple(tasks), assembly.input_shape_of(source), couplings=couplings
    )


def shared_network(specification: str, input_shape: Any) -> keras.layers.Layer:
    """Return a backbone alone, with random weights, to count what is in it.

    Args:
        specification: Its name, with options.
        input_shape: Without the batch, or shapes by name.

    Raises:
        ValueError: If there is no such backbone or it does not take the input.
    """
    return BACKBONES.create(specification, input_shape)


def couplings_of(problem: Problem, config: TrainConfig, tasks: Sequence[Task]) -> list[AnyCoupling]:
    """Return the couplings of a configuration.

    Raises:
        ValueError: If a name is unknown or parts do not fit each other.
        FileNotFoundError: If a relatedness needs a file or a data set that is not there.
    """
    found: list[AnyCoupling] = []
    for choice in config.coupling_choices():
        given = problem.given(choice.relation)
        if given is None:
            found.append(assembly.coupling_from(choice, config, tuple(tasks)))
        else:
            found.append(
                assembly.coupling_with(
                    choice,
                    tuple(tasks),
                    given.relatedness,
                    learned=given.learned,
                    options=given.options,
                )
            )
    return found
