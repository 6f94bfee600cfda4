"""The one training loop: any model, any sources, one stage."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from mtl_dm import data, processes
from mtl_dm.data.batch_parts import even_part
from mtl_dm.data.batch_sizes import fitting_batch
from mtl_dm.data.process_rows import require_even_part, training_part
from mtl_dm.models import MultiTaskModel
from mtl_dm.models.phases import Phased
from mtl_dm.models.steps import require_backend
from mtl_dm.registry import Registry
from mtl_dm.training.callbacks import callbacks_of
from mtl_dm.training.checkpoints import Checkpoints
from mtl_dm.training.config import TrainConfig
from mtl_dm.training.learning import LearnRelatedness, end_warm_up, unjudged_notices
from mtl_dm.training.optimizers import OPTIMIZERS
from mtl_dm.training.parts import trained_part
from mtl_dm.training.resuming import Progress, restore_state
from mtl_dm.training.schedules import SCHEDULES
from mtl_dm.training.starting import start_from
from mtl_dm.training.time_left import TimeLeft

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


def optimizer_of(config: TrainConfig, steps: int) -> keras.optimizers.Optimizer:
    """Return the optimizer of a configuration, its rate by the schedule over `epochs` epochs.

    Raises:
        ValueError: If an option is out of its range.
    """
    rate = SCHEDULES.create(config.schedule, config.learning_rate, config.epochs, steps)
    return OPTIMIZERS.create(config.optimizer, rate)


def training_stream(
    sources: Sequence[tf.data.Dataset], config: TrainConfig, epochs: int = 0
) -> tuple[tf.data.Dataset, int]:
    """Return the endless stream of batches to train on, and the steps of an epoch.

    Of several processes each has its rows of every batch.

    Args:
        sources: For `mtl_dm.data.merge`.
        config: Its batches, shares, seed, augmentation and mixing apply.
        epochs: Epochs of the stream to leave out at its beginning: those trained before.

    Raises:
        ValueError: If sources, shares and batch size do not fit each other, batches are none that
            can be augmented or mixed, or do not divide evenly among devices.
    """
    steps = steps_of(sources, config)
    start = epochs * steps
    part = _own_part(config)
    stream = data.merge(
        sources,
        config.batch_size,
        shares=config.shares,
        seed=config.seed,
        repeat=True,
        start=start,
        part=part,
    )
    if config.augment:
        stream = data.augment(stream, config.seed, start=start, part=part)
    if config.mix != "none":
        # Whoever cuts mixed batches for replicas must know their rows.
        rows = config.batch_size if part is None else part.rows
        stream = stream.map(lambda *batch: _of_rows(batch, rows))
    stream = data.MIXING.create(config.mix, stream, config.seed, start, part)
    if part is None:
        stream = training_part(stream, config.batch_size)
    else:
        require_even_part(stream)
    return stream.prefetch(tf.data.AUTOTUNE), steps


def _own_part(config: TrainConfig) -> data.Part | None:
    """Return what this process makes of every batch; None: all of it."""
    own = processes.own_rows(config.batch_size)
    if own is None:
        return None
    part = data.Part(*own, config.batch_size)
    return part if part.rows < part.whole and data.mixes_in_parts(config.mix, part) else None


def rows_on_host(config: TrainConfig) -> int:
    """Return how many rows of a batch are in the memory of this host, over all its processes.

    Raises:
        ValueError: If a batch does not divide evenly among the devices of all processes.
    """
    part = _own_part(config)
    rows = config.batch_size if part is None else part.rows
    return rows * max(1, processes.count() // processes.hosts())


def undivided_notices(config: TrainConfig) -> list[str]:
    """Return that processes make more of a batch than they train on, as text, where they do."""
    own = processes.own_rows(config.batch_size)
    if own is None or own[1] == config.batch_size or _own_part(config) is not None:
        return []
    return [
        f"every process makes whole batches, for {config.mix} blends rows of several processes "
        "(docs/guide/processes.md)."
    ]


def _of_rows(batch: Any, rows: int) -> Any:
    """Return a batch whose number of rows is known before it is read."""
    return tf.nest.map_structure(lambda part: tf.ensure_shape(part, [rows, *part.shape[1:]]), batch)


@dataclasses.dataclass(frozen=True)
class Place:
    """Where one stage stands in its run; by default it is the only one.

    Attributes:
        before: Epochs of the stages before it.
        total: Epochs of all stages; None: its own.
        models: Folder for its checkpoints and logs; None: that of its state.
        sources: What all stages are trained on; None: its own.
        name: Of the stage; empty for a training without stages.
    """

    before: int = 0
    total: int | None = None
    models: Path | None = None
    sources: Sequence[tf.data.Dataset] | None = None
    name: str = ""


def fit(
    model: MultiTaskModel,
    sources: Sequence[tf.data.Dataset],
    config: TrainConfig,
    *,
    validation: tf.data.Dataset | None = None,
    output: str | Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    place: Place | None = None,
) -> Progress:
    """Train a model for one stage, from where an earlier start of it stopped.

    Args:
        model: Built inside `settings(config)`.
        sources: For `mtl_dm.data.merge`.
        config: Its batches, epochs, optimizer, trained part and compilation apply.
        validation: Unbatched source, evaluated after every epoch.
        output: Folder for checkpoints, states and TensorBoard logs; None: nothing is written and
            a run that is killed starts anew.
        callbacks: More of them; what they remember from one epoch to the next must be weights of
            the model, or a run that is killed ends otherwise.
        place: Where the stage stands among others.

    Returns:
        The progress at the end, with the history of every loss term and metric.

    Raises:
        ValueError: If `output` holds the state of another model, nothing would be trained, no
            weight of `init_from` fits, the validation gate has no validation data, a
            relatedness is to be learned in a single epoch, or the backbone knows no such stage.
        FileNotFoundError: If `init_from` does not exist.
        OSError: If the disk is full.
    """
    place = place or Place()
    if not model.built:
        model.build(tf.nest.map_structure(lambda x: (None, *x.shape), sources[0].element_spec[0]))
    acting = callbacks_of(
        model, sources, validation, config, place.total or config.epochs, place.sources
    )
    with trained_part(model, config.trainable):
        # Keras adds loss scaling under float16.
        model.compile(
            optimizer=optimizer_of(config, steps_of(sources, config)),
            # Without it JAX runs every operation by itself, tens of times slower.
            jit_compile=config.jit or keras.backend.backend() == "jax",
        )
        model.optimizer.build(model.trainable_variables)
        progress = Progress() if output is None else restore_state(output, model)
        processes.require_agreement("the epoch to go on from", progress.epochs)
        if not progress.epochs:
            if config.init_from is not None:
                start_from(model, config.init_from)
            if isinstance(model.backbone, Phased):
                model.backbone.begin_stage(place.name)
            if not any(isinstance(each, LearnRelatedness) for each in acting):
                end_warm_up(model)  # Which nobody else would.
            if not place.before and processes.is_main():
                notices = unjudged_notices(model, place.total or config.epochs)
                for line in [*notices, *undivided_notices(config)]:
                    print(f"{line[0].upper()}{line[1:]}", flush=True)
        keeper = _keeper(model, output, progress, validation is not None, place)
        if progress.epochs >= config.epochs:
            if keeper is not None:
                keeper.require_last(model)
            return progress
        stream, steps = training_stream(sources, config, progress.epochs)
        history = model.fit(
            stream,
            initial_epoch=place.before + progress.epochs,
            epochs=place.before + config.epochs,
            steps_per_epoch=steps,
            validation_data=_evaluated(validation),
            # What moves weights at the end of an epoch comes before what saves them.
            callbacks=[*acting, *callbacks, *_writers(keeper), *_time_left(config, place)],
            verbose=_verbosity(),  # a bar on a terminal, lines in a file
            shuffle=False,  # merge has shuffled
        )
    if keeper is not None:
        return keeper.progress
    return Progress(epochs=config.epochs, history=history.history)


def _keeper(
    model: MultiTaskModel,
    output: str | Path | None,
    progress: Progress,
    validated: bool,
    place: Place,
) -> Checkpoints | None:
    if output is None or not processes.is_main():
        return None
    return Checkpoints(
        output, model.tasks, validated, progress, models=place.models, before=place.before
    )


def _writers(keeper: Checkpoints | None) -> list[keras.callbacks.Callback]:
    if keeper is None:
        return []
    return [keeper, keras.callbacks.TensorBoard(keeper.models / "tensorboard")]


def _time_left(config: TrainConfig, place: Place) -> list[keras.callbacks.Callback]:
    return [TimeLeft(place.total or config.epochs)] if processes.is_main() else []


def _evaluated(validation: tf.data.Dataset | None) -> tf.data.Dataset | None:
    if validation is None:
        return None
    places = processes.places()
    if places is None:
        batches = validation.batch(fitting_batch(validation, EVALUATION_BATCH))
    else:
        # Several processes divide the same batches, whatever memory each of them has.
        batches = even_part(validation, EVALUATION_BATCH, *places)
    return batches.prefetch(tf.data.AUTOTUNE)


def _verbosity() -> int:
    if not processes.is_main():
        return 0
    return 1 if sys.stdout.isatty() else 2
