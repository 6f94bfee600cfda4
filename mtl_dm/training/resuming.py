"""The state of a training between two epochs, kept so that a killed run goes on exactly."""

from __future__ import annotations

import dataclasses
import errno
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from absl import logging

from mtl_dm.files import require_modest, write_atomically

FOLDER = "state"
KEPT = 2
"""Newest states that are kept: one to go on from, one in case it is damaged."""


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a training has come.

    Attributes:
        epochs: Finished epochs.
        best: Best validation score so far.
        seconds: Time spent training.
        history: Values of every finished epoch, by name.
    """

    epochs: int = 0
    best: float = -np.inf
    seconds: float = 0.0
    history: dict[str, list[float]] = dataclasses.field(default_factory=dict)


def save_state(folder: str | Path, model: keras.Model, progress: Progress) -> None:
    """Write everything that the next epoch depends on; older states but one are removed.

    That is every variable of the model (weights, batch statistics, the seeds of dropout) and of
    the optimizer (moments, step count, loss scale).

    Args:
        folder: Folder of the run.
        model: Compiled and built.
        progress: How far it has come.

    Raises:
        OSError: If the disk is full; the states written before are intact.
    """
    folder = Path(folder) / FOLDER
    names, variables = _variables(model)
    arrays: dict[str, Any] = {
        f"v{index}": keras.ops.convert_to_numpy(variable)
        for index, variable in enumerate(variables)
    }
    meta = {"names": names, "progress": dataclasses.asdict(progress)}
    buffer = io.BytesIO()
    np.savez(buffer, meta=np.array(json.dumps(meta)), **arrays)
    path = folder / f"epoch{progress.epochs:05d}.npz"
    try:
        write_atomically(path, buffer.getvalue())
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise OSError(
            errno.ENOSPC,
            f"The disk is full: the state after epoch {progress.epochs} could not be written to "
            f"{folder}. Earlier states are intact; free some space and start the same command "
            "again",
        ) from error
    for old in _states(folder)[KEPT:]:
        old.unlink(missing_ok=True)


def restore_state(folder: str | Path, model: keras.Model) -> Progress:
    """Load the newest readable state into a model and return how far it had come.

    A damaged state is reported and the one before it is taken.

    Args:
        folder: Folder of the run.
        model: Compiled and built as the one that was saved.

    Raises:
        ValueError: If a state belongs to another model.
    """
    for path in _states(Path(folder) / FOLDER):
        try:
            require_modest(path)
            # Opened here: NumPy leaves a damaged file open.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
                meta = json.loads(str(content["meta"]))
                arrays = [content[f"v{index}"] for index in range(len(meta["names"]))]
            _require_sound(meta["names"], arrays)
            progress = _progress_of(meta["progress"])
        # A truncated file, a wrong checksum, a missing member, other values than are written; NumPy
        # reads a header as Python, and raises whatever that does.
        except Exception as error:
            logging.warning("The state %s is damaged (%s); trying the one before.", path, error)
            continue
        _assign(path, model, meta["names"], arrays)
        logging.info("Going on after epoch %d (%s).", progress.epochs, path)
        return progress
    return Progress()


def _progress_of(values: Any) -> Progress:
    progress = Progress(**values)
    numbers = (progress.epochs, progress.best, progress.seconds)
    if not isinstance(progress.epochs, int) or not isinstance(progress.history, dict):
        raise ValueError("its progress is of another type")
    if not all(isinstance(each, (int, float)) for each in numbers):
        raise ValueError("its progress holds what is no number")
    return progress


def _require_sound(names: Sequence[str], arrays: Sequence[np.ndarray]) -> None:
    """Check that all are numbers, and weights finite; what an optimizer keeps may recover."""
    for name, array in zip(names, arrays, strict=True):
        if array.dtype.kind not in "fiub":
            raise ValueError(f"{name} is of the type {array.dtype}")
        if name.startswith("model ") and array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} is not finite")


def _assign(
    path: Path, model: keras.Model, names: Sequence[str], arrays: Sequence[np.ndarray]
) -> None:
    own_names, variables = _variables(model)
    shapes = [tuple(array.shape) for array in arrays]
    for have, shape, want, variable in zip(names, shapes, own_names, variables, strict=False):
        if have != want or shape != tuple(variable.shape):
            raise ValueError(
                f"The state {path} belongs to another model: it has {have} {shape} where this "
                f"one has {want} {tuple(variable.shape)}."
            )
    if len(names) != len(own_names):
        raise ValueError(
            f"The state {path} belongs to another model: it has {len(names)} variables, this one "
            f"{len(own_names)}."
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _variables(model: keras.Model) -> tuple[list[str], list[Any]]:
    """Return names that do not depend on what else the program has built, and variables.

    Metrics are left out: they start anew every epoch.
    """
    metrics = {id(variable) for metric in model.metrics for variable in metric.variables}
    own = [variable for variable in model.variables if id(variable) not in metrics]
    optimizer = list(model.optimizer.variables)
    owners = ["model"] * len(own) + ["optimizer"] * len(optimizer)
    names = [
        # Keras numbers layers through the whole program: conv2d_4 here is conv2d there.
        f"{owner} {re.sub(r'_[0-9]+', '', variable.name)}"
        for owner, variable in zip(owners, own + optimizer, strict=True)
    ]
    return names, own + optimizer


def _states(folder: Path) -> list[Path]:
    """Return the states, newest first."""
    return sorted(folder.glob("epoch*.npz"), reverse=True)
