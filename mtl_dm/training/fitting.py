"""The one training loop: any model, any sources."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from mtl_dm import data
from mtl_dm.models import MultiTaskModel
from mtl_dm.registry import Registry
from mtl_dm.training.checkpoints import Checkpoints
from mtl_dm.training.config import TrainConfig

EVALUATION_BATCH = 256

STRATEGIES: Registry[Any] = Registry("strategy")


@STRATEGIES.register("none")
def _one_device() -> Any:
    return contextlib.nullcontext()


@STRATEGIES.register("mirrored")
def _mirrored() -> Any:
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
        ValueError: If the strategy is unknown or the machine lacks the devices.
    """
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


def training_stream(
    sources: Sequence[tf.data.Dataset], config: TrainConfig
) -> tuple[tf.data.Dataset, int | None]:
    """Return the batches to train on and the steps of an epoch (None: until they end)."""
    stream = data.merge(
        sources,
        config.batch_size,
        shares=config.shares,
        seed=config.seed,
        repeat=config.steps_per_epoch is not None,
    )
    if config.augment:
        stream = data.augment(stream, config.seed)
    return stream.prefetch(tf.data.AUTOTUNE), config.steps_per_epoch


def fit(
    model: MultiTaskModel,
    sources: Sequence[tf.data.Dataset],
    config: TrainConfig,
    *,
    validation: tf.data.Dataset | None = None,
    output: str | Path | None = None,
) -> keras.callbacks.History:
    """Train a model as a configuration says.

    Args:
        model: Built inside `settings(config)`.
        sources: For `mtl_dm.data.merge`.
        config: Its batches, epochs, learning rate and compilation apply.
        validation: Unbatched source, evaluated after every epoch.
        output: Folder for checkpoints and TensorBoard logs; None: nothing is written.

    Returns:
        The history of every loss term and metric.
    """
    # Adam with the paper's defaults; Keras adds loss scaling under float16.
    model.compile(optimizer=keras.optimizers.Adam(config.learning_rate), jit_compile=config.jit)
    stream, steps = training_stream(sources, config)
    batches = None
    callbacks: list[keras.callbacks.Callback] = [keras.callbacks.TerminateOnNaN()]
    if validation is not None:
        batches = validation.batch(EVALUATION_BATCH).prefetch(tf.data.AUTOTUNE)
    if output is not None:
        callbacks.append(Checkpoints(output, model.tasks, validation is not None))
        callbacks.append(keras.callbacks.TensorBoard(Path(output) / "tensorboard"))
    return model.fit(
        stream,
        epochs=config.epochs,
        steps_per_epoch=steps,
        validation_data=batches,
        callbacks=callbacks,
        verbose=1 if sys.stdout.isatty() else 2,  # a bar on a terminal, lines in a file
        shuffle=False,  # merge has shuffled
    )
