"""The one training loop: any model, any sources."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from mtl_dm import data, processes
from mtl_dm.models import MultiTaskModel
from mtl_dm.registry import Registry
from mtl_dm.training.checkpoints import Checkpoints
from mtl_dm.training.config import TrainConfig
from mtl_dm.training.gradients import require_backend
from mtl_dm.training.learning import LearnRelatedness, schedule
from mtl_dm.training.optimizers import OPTIMIZERS
from mtl_dm.training.resuming import Progress, restore_state
from mtl_dm.training.schedules import SCHEDULES
from mtl_dm.training.validation_gate import BATCH, BATCHES, Brake

EVALUATION_BATCH = 256

STRATEGIES: Registry[Any] = Registry("strategy")


@STRATEGIES.register("none")
def _one_device() -> Any:
    return contextlib.nullcontext()


@STRATEGIES.register("mirrored")
def _mirrored() -> Any:
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "strategy 'mirrored' is TensorFlow's, but the backend is "
            f"{keras.backend.backend()!r}. Use --strategy=none; on JAX several devices share a "
            "batch through python -m mtl_dm.launch."
        )
    gpus = tf.config.list_logical_devices("GPU")
    devices = gpus or tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        raise ValueError(
            "strategy 'mirrored' needs at least two devices of a kind, this machine has "
            f"{[device.name for device in devices]}. Use --strategy=none."
        )
    return tf.distribute.MirroredStrategy([device.name for device in devices]).scope()


@contextlib.contextmanager
def settings(config: TrainConfig) -> Iterator[None]:
    """Seed everything and set precision and strategy while a model is built and trained.

    Raises:
        ValueError: If the strategy is unknown, the machine lacks the devices, or the backend
            cannot do what is configured.
    """
    if config.validation_gate:
        require_backend()
    policy = "float32" if config.mixed_precision == "float32" else f"mixed_{config.mixed_precision}"
    before = keras.config.dtype_policy()
    strategy = STRATEGIES.get(config.strategy)()
    keras.utils.set_random_seed(config.seed)
    keras.config.set_dtype_policy(policy)
    try:
        with strategy:
            yield
    finally:
        keras.config.set_dtype_policy(before)


def steps_of(sources: Sequence[tf.data.Dataset], config: TrainConfig) -> int:
    """Return the steps of an epoch."""
    return config.steps_per_epoch or data.steps_per_epoch(sources, config.batch_size, config.shares)


def _optimizer(config: TrainConfig, steps: int) -> keras.optimizers.Optimizer:
    """Return the optimizer of a configuration, its rate by the schedule over `epochs` epochs."""
    rate = SCHEDULES.create(config.schedule, config.learning_rate, config.epochs, steps)
    return OPTIMIZERS.create(config.optimizer, rate)


def training_stream(
    sources: Sequence[tf.data.Dataset], config: TrainConfig, epochs: int = 0
) -> tuple[tf.data.Dataset, int]:
    """Return the endless stream of batches to train on, and the steps of an epoch.

    Args:
        sources: For `mtl_dm.data.merge`.
        config: Its batches, shares, seed and augmentation apply.
        epochs: Epochs of the stream to leave out at its beginning: those trained before.
    """
    steps = steps_of(sources, config)
    start = epochs * steps
    stream = data.merge(
        sources,
        config.batch_size,
        shares=config.shares,
        seed=config.seed,
        repeat=True,
        start=start,
    )
    if config.augment:
        stream = data.augment(stream, config.seed, start=start)
    return stream.prefetch(tf.data.AUTOTUNE), steps


def fit(
    model: MultiTaskModel,
    sources: Sequence[tf.data.Dataset],
    config: TrainConfig,
    *,
    validation: tf.data.Dataset | None = None,
    output: str | Path | None = None,
) -> Progress:
    """Train a model as a configuration says, from where an earlier start of the run stopped.

    Args:
        model: Built inside `settings(config)`.
        sources: For `mtl_dm.data.merge`.
        config: Its batches, epochs, learning rate and compilation apply.
        validation: Unbatched source, evaluated after every epoch.
        output: Folder for checkpoints, states and TensorBoard logs; None: nothing is written and
            a run that is killed starts anew.

    Returns:
        The progress at the end, with the history of every loss term and metric.

    Raises:
        ValueError: If `output` holds the state of another model, the brake has no validation
            data, or a relatedness is to be learned in a single epoch.
        OSError: If the disk is full.
    """
    if not model.built:
        model.build(tf.nest.map_structure(lambda x: (None, *x.shape), sources[0].element_spec[0]))
    # Keras adds loss scaling under float16.
    model.compile(
        optimizer=_optimizer(config, steps_of(sources, config)),
        # Without it JAX runs every operation by itself, tens of times slower.
        jit_compile=config.jit or keras.backend.backend() == "jax",
    )
    model.optimizer.build(model.trainable_variables)
    progress = Progress() if output is None else restore_state(output, model)
    processes.require_agreement("the epoch to go on from", progress.epochs)
    stream, steps = training_stream(sources, config, progress.epochs)
    stream = processes.training_part(stream, config.batch_size)
    batches = None
    # What moves weights at the end of an epoch comes before what saves them.
    callbacks: list[keras.callbacks.Callback] = [keras.callbacks.TerminateOnNaN()]
    if any(coupling.learned for coupling in model.couplings):
        first, every = schedule(config.epochs)
        callbacks.append(LearnRelatedness(sources, first, every, verbose=processes.is_main()))
    if config.validation_gate:
        callbacks.append(_brake(sources, validation, config))
    if validation is not None:
        batches = processes.validation_part(validation.batch(EVALUATION_BATCH))
        batches = batches.prefetch(tf.data.AUTOTUNE)
    if output is not None and processes.is_main():
        checkpoints = Checkpoints(output, model.tasks, validation is not None, progress)
        callbacks.append(checkpoints)
        callbacks.append(keras.callbacks.TensorBoard(Path(output) / "tensorboard"))
    history = model.fit(
        stream,
        initial_epoch=progress.epochs,
        epochs=config.epochs,
        steps_per_epoch=steps,
        validation_data=batches,
        callbacks=callbacks,
        verbose=_verbosity(),  # a bar on a terminal, lines in a file
        shuffle=False,  # merge has shuffled
    )
    if output is not None and processes.is_main():
        return checkpoints.progress
    return Progress(epochs=config.epochs, history=history.history)


def _brake(
    sources: Sequence[tf.data.Dataset], validation: tf.data.Dataset | None, config: TrainConfig
) -> Brake:
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
    return Brake(batches, spread, verbose=processes.is_main())


def _verbosity() -> int:
    if not processes.is_main():
        return 0
    return 1 if sys.stdout.isatty() else 2
