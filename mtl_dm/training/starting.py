"""Starting from the weights of another training, where they fit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
from absl import logging

from mtl_dm.models import MultiTaskModel
from mtl_dm.models.finite import require_finite
from mtl_dm.models.loading import load_keras
from mtl_dm.pretrained import checkpoint_at
from mtl_dm.training.parts import network_weights


def require_checkpoint(path: str | Path) -> Path:
    """Return the file of a checkpoint, or of a pretrained one by its name; it is there.

    Raises:
        FileNotFoundError: If it is not.
        ValueError: If there is no pretrained checkpoint of that name.
    """
    found = checkpoint_at(path)
    if not found.is_file():
        raise FileNotFoundError(f"No checkpoint at {path} to start from (init_from).")
    return found


def start_from(model: MultiTaskModel, path: str | Path) -> None:
    """Take over the weights of a checkpoint whose name and shape a model has; log the others.

    How terms are balanced, scaled and related is left out: that belongs to a training.

    Args:
        model: A built model.
        path: A `.keras` file of a `MultiTaskModel`, or of a backbone alone; or the name of a
            pretrained checkpoint.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be read, a task that both have has other labels there or in
            another order, or no weight fits.
    """
    file = require_checkpoint(path)
    source = load_keras(file, compile=False)
    require_finite(f"The checkpoint {path}", source)
    if isinstance(source, MultiTaskModel):
        _require_same_labels(source, model, path)
    there, here = network_weights(source), network_weights(model)
    shared = [name for name in here if name in there]
    fitting = [name for name in shared if tuple(here[name].shape) == tuple(there[name].shape)]
    if not fitting:
        raise ValueError(
            f"No weight of the checkpoint {path} fits the model: it has {_some(list(there))}, the "
            f"model {_some(list(here))}."
        )
    for name in fitting:
        here[name].assign(keras.ops.convert_to_numpy(there[name]))
    logging.info("%d of %d weights are those of %s.", len(fitting), len(here), path)
    shapes = [
        f"{name} {tuple(there[name].shape)} there, {tuple(here[name].shape)} here"
        for name in shared
        if name not in fitting
    ]
    for what, names in (
        ("not loaded, since the checkpoint has none", [n for n in here if n not in there]),
        ("not loaded, since the shapes differ", shapes),
        ("of the checkpoint not used", [n for n in there if n not in here]),
    ):
        if names:
            logging.warning("Weights %s: %s.", what, ", ".join(names))


def _require_same_labels(source: MultiTaskModel, model: MultiTaskModel, path: str | Path) -> None:
    """Check that no column of a head would come to stand for another label."""
    own = {task.name: task for task in model.tasks}
    for there in source.tasks:
        here = own.get(there.name, there)
        if (there.kind, there.labels) != (here.kind, here.labels):
            raise ValueError(
                f"The task {there.name!r} has other labels in the checkpoint {path}, or in another "
                f"order: {there.kind} {list(there.labels)} there, {here.kind} {list(here.labels)} "
                "here. Train the same labels, or start from the backbone alone, which "
                "model.backbone.save(FILE) writes."
            )


def _some(names: Sequence[str], most: int = 4) -> str:
    return ", ".join([*names[:most], *(["..."] if len(names) > most else [])]) or "none"
