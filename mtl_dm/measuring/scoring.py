"""A checkpoint's metrics on data sets, printed and saved."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging

from mtl_dm import data
from mtl_dm.files import strict_json, write_atomically
from mtl_dm.measuring.carding import evaluate_for_card
from mtl_dm.measuring.evaluation import choose_thresholds, evaluate
from mtl_dm.measuring.sources import annotated_enough, source_for
from mtl_dm.models import MultiTaskModel
from mtl_dm.models.finite import require_finite
from mtl_dm.models.loading import load_keras
from mtl_dm.outputs import prepare_output
from mtl_dm.pretrained import checkpoint_at
from mtl_dm.runs.origin import origin_of
from mtl_dm.runs.record import commit, versions
from mtl_dm.tasks import Task

METRICS_FILE = "metrics.json"


def load_model(path: str | Path) -> MultiTaskModel:
    """Return the model of a `.keras` file, or of a pretrained checkpoint by its name.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file holds no multi-task model, its weights are not finite, or there is
            no checkpoint of that name.
    """
    path = checkpoint_at(path)
    if not path.is_file():
        raise FileNotFoundError(f"No checkpoint at {path}.")
    model = load_keras(path)
    if not isinstance(model, MultiTaskModel):
        raise ValueError(
            f"The checkpoint {path} holds a {type(model).__name__}, not a MultiTaskModel."
        )
    require_finite(f"The checkpoint {path}", model)
    return model


def score(
    checkpoint: str,
    names: Sequence[str],
    data_dir: str,
    output: str | Path,
    thresholds_from: str | None = None,
) -> None:
    """Evaluate a checkpoint on data sets; print the averages, write every metric and its card.

    Args:
        checkpoint: A `.keras` file of this package, or the name of a pretrained checkpoint.
        names: Data sets as for `mtl_dm.data.load`.
        data_dir: Folder of built data sets.
        output: Folder for metrics.json.
        thresholds_from: Validation data on which the thresholds of attributes are chosen; metrics
            with them then stand beside those at 0.5.

    Raises:
        FileNotFoundError: If the checkpoint or a data set does not exist.
        ValueError: If the checkpoint cannot be read, a data set has none of its tasks or not what
            it takes, or thresholds would be chosen on a data set that is measured.
    """
    prepare_output(output)
    data.require_different(names, data_dir=data_dir)
    model = load_model(checkpoint)
    chosen_on = [] if thresholds_from is None else [thresholds_from]
    attributes = [
        task for name in chosen_on for task in _with_thresholds_from(model, name, names, data_dir)
    ]
    warn_of_training_images(checkpoint, (*names, *chosen_on), data_dir)
    results: dict[str, Any] = {"0.5": {}}
    chosen: dict[str, np.ndarray] = {}
    if thresholds_from is not None:
        chosen = choose_thresholds(model, source_for(model, thresholds_from, data_dir, attributes))
        results["chosen"] = {}
    for name in names:
        source = source_for(model, name, data_dir)
        for which, found in results.items():
            if which == "chosen":
                found[name] = evaluate(model, source, thresholds=chosen)
            else:
                found[name] = evaluate_for_card(
                    model, source, Path(checkpoint_at(checkpoint)), name
                )
            for task, metrics in found[name].items():
                if which == "0.5" or task in chosen:
                    print(_line(name, task, metrics, which if task in chosen else ""))
    content = {
        "checkpoint": checkpoint,
        "metrics": results["0.5"],
        "metrics_at_chosen_thresholds": results.get("chosen"),
        "thresholds_from": thresholds_from,
        "thresholds": {
            task.name: dict(zip(task.labels, chosen[task.name].tolist(), strict=True))
            for task in model.tasks
            if task.name in chosen
        },
        "commit": commit(),
        "versions": versions(),
    }
    write_atomically(Path(output) / METRICS_FILE, strict_json(content))


def warn_of_training_images(checkpoint: str | Path, names: Sequence[str], data_dir: str) -> None:
    """Log which data sets share images with what a checkpoint was trained on, as far as is known.

    Args:
        checkpoint: A file, or the name of a pretrained checkpoint.
        names: Data sets as for `mtl_dm.data.load`, built.
        data_dir: Folder of built data sets.
    """
    learned_on = origin_of(checkpoint_at(checkpoint)).datasets
    for name in names:
        for trained in data.sharing(name, learned_on, data_dir=data_dir)[:1]:
            logging.warning("%s has images that the checkpoint was trained on (%s).", name, trained)


def _with_thresholds_from(
    model: MultiTaskModel, name: str, measured: Sequence[str], data_dir: str
) -> list[Task]:
    """Return the tasks whose thresholds can be chosen on a set apart from what is measured."""
    shared = data.sharing(name, measured, data_dir=data_dir)
    if shared:
        raise ValueError(
            f"Thresholds must not be chosen on data that are measured: {name!r} shares images "
            f"with {shared[0]!r}."
        )
    attributes = [task for task in model.tasks if task.kind == "multilabel"]
    return annotated_enough(name, data_dir, attributes, "thresholds")


def _line(name: str, task: str, metrics: Mapping[str, float], thresholds: str) -> str:
    averages = [
        f"{key} {value:.4f}"
        for key, value in metrics.items()
        if "/" not in key and not math.isnan(value)
    ]
    how = f"  ({thresholds} thresholds)" if thresholds else ""
    return f"{name}  {task}{how}  {'  '.join(averages) or 'not annotated'}"
