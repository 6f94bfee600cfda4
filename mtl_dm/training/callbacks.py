"""The callbacks of a training that change what it ends in; the only place that makes them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from mtl_dm import data, processes
from mtl_dm.models import MultiTaskModel
from mtl_dm.models.watching import StopAtNonFinite
from mtl_dm.training.config import TrainConfig
from mtl_dm.training.gate_words import GateWords
from mtl_dm.training.learning import LearnRelatedness, schedule
from mtl_dm.training.validation_gate import BATCH, BATCHES, ValidationGate


def callbacks_of(
    model: MultiTaskModel,
    sources: Sequence[tf.data.Dataset],
    validation: tf.data.Dataset | None,
    config: TrainConfig,
    epochs: int,
    everything: Sequence[tf.data.Dataset] | None = None,
) -> list[keras.callbacks.Callback]:
    """Return what acts on a model at the end of epochs, in the order in which it has to.

    Args:
        model: The model.
        sources: What it is trained on.
        validation: What it is evaluated on.
        config: The configuration of the stage.
        epochs: Epochs of all stages.
        everything: What all stages are trained on; None: what this one is.

    Raises:
        ValueError: If the validation gate has no validation data, or a relatedness is to be
            learned in a single epoch.
    """
    callbacks: list[keras.callbacks.Callback] = [StopAtNonFinite(_example_of(sources[0]))]
    learned = any(coupling.learned for coupling in model.couplings)
    if learned or (epochs > 1 and any(coupling.trusts for coupling in model.couplings)):
        first, every = schedule(epochs)
        observed = sources if everything is None else everything
        callbacks.append(
            LearnRelatedness(observed, first, every, epochs=epochs, verbose=processes.is_main())
        )
    if config.validation_gate:
        callbacks.append(validation_gate(sources, validation, config))
    if model.gates and processes.is_main():
        callbacks.append(GateWords())
    return callbacks


def _example_of(source: tf.data.Dataset) -> Callable[[], Any] | None:
    """Return what gives the inputs of one image, read once."""
    if processes.count() > 1:
        return None  # Weights lie on the devices of all processes, this image on those of one.
    return functools.cache(lambda: next(iter(source.take(1).batch(1)))[0])


def validation_gate(
    sources: Sequence[tf.data.Dataset], validation: tf.data.Dataset | None, config: TrainConfig
) -> ValidationGate:
    """Return the gate that judges coupling terms by a few batches of validation data.

    Raises:
        ValueError: If there are none.
    """
    if validation is None:
        raise ValueError(
            "The validation gate needs validation data: it judges coupling terms by them."
        )
    batches = data.merge(sources, config.batch_size, shares=config.shares, seed=config.seed)
    # Images of a source stand in an order of its own: a few spread over all of it, and of a small
    # one smaller batches, since noise is judged by how batches differ.
    images = int(validation.cardinality())
    apart = max(1, -(-images // (BATCHES * BATCH)))
    size = max(1, images // apart // BATCHES)
    spread = validation.shard(apart, 0).batch(size)
    return ValidationGate(batches, spread, verbose=processes.is_main())
