"""Stages: one model trained one stage after another, each with what it needs of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from absl import logging

from mtl_dm import processes
from mtl_dm.models import MultiTaskModel, steps
from mtl_dm.models.phases import Phased
from mtl_dm.models.watching import NonFiniteLossError
from mtl_dm.spec import repeated
from mtl_dm.training import fitting
from mtl_dm.training.checkpoints import BEST
from mtl_dm.training.config import TrainConfig
from mtl_dm.training.parts import BACKBONE, chosen_names, named_weights
from mtl_dm.training.resuming import Progress

FOLDER = "stages"


@dataclasses.dataclass(frozen=True)
class Stage:
    """One stage of a training.

    Attributes:
        name: Of the stage and of its folder; empty for a training without stages, whose state
            lies in the run's own folder.
        config: Batches, epochs, optimizer, schedule and trained part apply.
        sources: What it is trained on.
        callbacks: More than those that the configuration asks for; see `fitting.fit`.
    """

    name: str
    config: TrainConfig
    sources: Sequence[tf.data.Dataset]
    callbacks: Sequence[keras.callbacks.Callback] = ()


def stages_of(config: TrainConfig, sources: Sequence[tf.data.Dataset]) -> list[Stage]:
    """Return the stages of a configuration; one where it names none.

    Args:
        config: The configuration.
        sources: One per data set of it.
    """
    if not config.stages:
        return [Stage("", config, sources)]
    by_name = dict(zip(config.datasets, sources, strict=True))
    return [
        Stage(name, part, [by_name[each] for each in part.datasets])
        for name, part in config.stage_configs()
    ]


def check_stages(model: MultiTaskModel, stages: Sequence[Stage]) -> None:
    """Check that every stage can be trained as it says, before the first is.

    Args:
        model: A built model.
        stages: In their order.

    Raises:
        ValueError: If one trains nothing, or nothing that the balancing method needs; two have one
            name; batches do not fit the sources; an option of an optimizer is out of its range;
            the validation gate has nothing to judge; the backbone has no such phase; or the
            backend cannot do what is asked.
    """
    names = [stage.name for stage in stages]
    twice = repeated(names)
    if twice or not names:
        raise ValueError(f"A training needs stages of different names, got {names}.")
    for stage in stages:
        try:
            _check_stage(model, stage)
        except ValueError as error:
            if not stage.name:
                raise
            raise ValueError(f"Stage {stage.name!r}: {error}") from error


def _check_stage(model: MultiTaskModel, stage: Stage) -> None:
    config = stage.config
    if isinstance(model.backbone, Phased):
        model.backbone.require_stage(stage.name)
    chosen = chosen_names(model, config.trainable)
    _check_scope(model, chosen, config.trainable)
    if config.validation_gate and not model.term_scales:
        raise ValueError(
            "validation_gate judges coupling terms on validation data, but the model has none: "
            "give relatedness or a coupling, or leave validation_gate out."
        )
    if config.validation_gate or needs_own_step(model):
        steps.require_backend()
    _, count = fitting.training_stream(stage.sources, config)
    fitting.optimizer_of(config, count)  # Keras has rules of its own; nothing is kept.


def needs_own_step(model: MultiTaskModel) -> bool:
    """Return whether a model trains by a step of `mtl_dm.models.steps`, not by Keras's own."""
    balancing = model.balancing
    seen = balancing.wants_losses or model.log_gradients or model.log_weights
    return model.sees_features or seen or bool(model.gates)


def _check_scope(model: MultiTaskModel, chosen: set[str], trainable: Sequence[str]) -> None:
    """Check that the weights are trained over which a balancing method compares gradients."""
    balancing = model.balancing
    if balancing.sees != "gradients" or balancing.scope not in ("shared", "last_layer"):
        return
    axes = 2 if balancing.scope == "last_layer" else 0  # A kernel; not a bias or a scale.
    named = named_weights(model)
    shared = [name for name in chosen if name.startswith(f"{BACKBONE}/")]
    if not any(len(named[name].shape) >= axes for name in shared):
        raise ValueError(
            f"The balancing method {type(balancing).__name__} compares gradients over the "
            f"backbone (scope {balancing.scope!r}), of which trainable {list(trainable)} trains "
            f"no {'kernel' if axes else 'weight'}. Train a part of the backbone too, or take a "
            "balancing method that sees no gradients."
        )


def train_stages(
    model: MultiTaskModel,
    stages: Sequence[Stage],
    *,
    validation: tf.data.Dataset | None = None,
    output: str | Path | None = None,
) -> list[Progress]:
    """Train a model stage after stage, from where an earlier start stopped.

    Each stage keeps its state, checkpoints and logs in a folder of its own, the last one its
    checkpoints and logs in `output`. A finished stage is not trained again: the state that it
    ended in is where the next one starts.

    Args:
        model: Built inside `fitting.settings`.
        stages: In their order.
        validation: Unbatched source, evaluated after every epoch.
        output: As for `fitting.fit`.

    Returns:
        The progress of each stage.

    Raises:
        ValueError: As `check_stages` and `fitting.fit`; a loss that is not finite is told with its
            stage, after which none begins.
        FileNotFoundError: If a file to start from does not exist.
        OSError: If the disk is full.
    """
    check_stages(model, stages)
    total = sum(stage.config.epochs for stage in stages)
    # A relatedness is learned from all labels, also those that a stage does without.
    everything = list({id(each): each for stage in stages for each in stage.sources}.values())
    before, done = 0, []
    for stage in stages:
        folder = None if output is None else Path(output)
        last = stage is stages[-1]
        state = folder / FOLDER / stage.name if folder is not None and stage.name else folder
        place = fitting.Place(before, total, folder if last else state, everything, stage.name)
        if stage.name and processes.is_main():
            logging.info("Stage %s: %d epochs.", stage.name, stage.config.epochs)
        try:
            progress = fitting.fit(
                model,
                stage.sources,
                stage.config,
                validation=validation,
                output=state,
                callbacks=stage.callbacks,
                place=place,
            )
        except NonFiniteLossError as error:
            raise NonFiniteLossError(_with_what_is_kept(stage.name, error, state)) from error
        done.append(progress)
        before += stage.config.epochs
    return done


def _with_what_is_kept(stage: str, error: Exception, folder: Path | None) -> str:
    best = "" if folder is None or not (folder / BEST).exists() else f" {folder / BEST} is kept."
    if not stage:
        return f"{error}{best}"
    return f"Stage {stage!r}: {error} No later stage is trained.{best}"


def joined_history(parts: Sequence[Progress]) -> dict[str, list[float]]:
    """Return the history of all epochs of all stages; NaN where a stage did not log a value."""
    names = dict.fromkeys(name for part in parts for name in part.history)
    return {
        name: [
            value
            for part in parts
            for value in part.history.get(name, [float("nan")] * part.epochs)
        ]
        for name in names
    }


def record_of(stages: Sequence[Stage], parts: Sequence[Progress]) -> list[dict[str, Any]]:
    """Return what the record of a run says of its stages."""
    return [
        {
            "name": stage.name,
            "epochs": part.epochs,
            "seconds": part.seconds,
            "trainable": list(stage.config.trainable),
            "datasets": list(stage.config.datasets),
        }
        for stage, part in zip(stages, parts, strict=False)
    ]
