"""Schedules of the learning rate by name, over the epochs of a stage. One function each.

A schedule is called as form(learning_rate, epochs, steps, **options) with the steps of an epoch,
and returns what a Keras optimizer takes: a number or a `LearningRateSchedule`. The step that it
counts is the optimizer's, which is part of the state of a training.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras

from mtl_dm.registry import Registry

SCHEDULES: Registry[Callable[..., Any]] = Registry("schedule")


@SCHEDULES.register("constant")
def constant(learning_rate: float, epochs: int, steps: int) -> Any:
    """Return the learning rate itself."""
    del epochs, steps
    return learning_rate


@SCHEDULES.register("cosine")
def cosine(
    learning_rate: float, epochs: int, steps: int, *, warmup: float = 0.0, final: float = 0.0
) -> Any:
    """Return half a cosine from the learning rate down to a part of it, after a linear warm-up.

    Source: Loshchilov and Hutter 2017 (SGDR), a single period.

    Args:
        learning_rate: The highest.
        epochs: Epochs of the stage.
        steps: Steps of an epoch.
        warmup: Epochs in which the rate grows from 0; less than all.
        final: The last rate as a part of the highest, in [0, 1].

    Raises:
        ValueError: If an option is out of its range.
    """
    if not 0 <= warmup < epochs:
        raise ValueError(
            f"The schedule cosine needs a warmup of at least 0 and less than the {epochs} epochs, "
            f"got {warmup}."
        )
    if not 0 <= final <= 1:
        raise ValueError(f"The schedule cosine needs a final in [0, 1], got {final}.")
    warm = round(warmup * steps)
    decay = max(1, epochs * steps - warm)
    if not warm:
        return keras.optimizers.schedules.CosineDecay(learning_rate, decay, alpha=final)
    return keras.optimizers.schedules.CosineDecay(
        0.0, decay, alpha=final, warmup_target=learning_rate, warmup_steps=warm
    )


@SCHEDULES.register("step")
def step(
    learning_rate: float, epochs: int, steps: int, *, every: float, factor: float = 0.1
) -> Any:
    """Return a rate that is multiplied by a factor whenever some epochs have passed.

    Args:
        learning_rate: The first.
        epochs: Epochs of the stage.
        steps: Steps of an epoch.
        every: Epochs between two changes, above 0.
        factor: By what the rate is multiplied, above 0.

    Raises:
        ValueError: If an option is out of its range.
    """
    del epochs
    for name, value in (("every", every), ("factor", factor)):
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"The schedule step needs {name} > 0, got {value}.")
    return keras.optimizers.schedules.ExponentialDecay(
        learning_rate, max(1, round(every * steps)), factor, staircase=True
    )
