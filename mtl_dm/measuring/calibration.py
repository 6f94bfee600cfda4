"""Temperatures of a checkpoint, fitted on validation data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_dm import data
from mtl_dm.cards.writing import add_calibration
from mtl_dm.files import strict_json, write_atomically
from mtl_dm.measuring.evaluation import annotated_predictions
from mtl_dm.measuring.scoring import load_model
from mtl_dm.measuring.sources import annotated_enough, source_for
from mtl_dm.measuring.temperatures import calibration_file
from mtl_dm.metrics import best_temperature, negative_log_likelihood, probabilities
from mtl_dm.metrics.calibration import reliability
from mtl_dm.models import MultiTaskModel
from mtl_dm.outputs import prepare_output
from mtl_dm.pretrained import checkpoint_at
from mtl_dm.runs.origin import fingerprint, origin_of
from mtl_dm.runs.record import commit, versions
from mtl_dm.tasks import Task


def calibrate(checkpoint: str | Path, name: str, data_dir: str | Path) -> dict[str, Any]:
    """Fit a temperature for every multiclass and multilabel task and write them.

    Args:
        checkpoint: A `.keras` file of this package, or the name of a pretrained checkpoint.
        name: Validation data as for `mtl_dm.data.load`.
        data_dir: Folder of built data sets.

    Returns:
        What was written.

    Raises:
        FileNotFoundError: If the checkpoint or the data set does not exist.
        ValueError: If the checkpoint cannot be read, or the data are a test split, were trained
            on, or have none of its tasks.
    """
    checkpoint = checkpoint_at(checkpoint)
    model = load_model(checkpoint)
    prepare_output(checkpoint.parent)
    _refuse_test_and_training(checkpoint, name, data_dir)
    fitted = [task for task in model.tasks if task.kind != "regression"]
    fitted = annotated_enough(name, str(data_dir), fitted, "temperatures")
    source = source_for(model, name, str(data_dir), fitted)
    tasks = fit_temperatures(model, source)
    content = {
        "checkpoint": Path(checkpoint).name,
        "sha256": fingerprint(checkpoint),
        "fitted_on": name,
        "tasks": tasks,
        "commit": commit(),
        "versions": versions(),
    }
    write_atomically(calibration_file(checkpoint), strict_json(content))
    add_calibration(checkpoint, content)
    return content


def fit_temperatures(model: MultiTaskModel, source: tf.data.Dataset) -> dict[str, dict[str, Any]]:
    """Return a temperature for every multiclass and multilabel task that a source annotates.

    Args:
        model: A built model.
        source: Unbatched (inputs, labels, masks); never training or test data.

    Returns:
        By task name: "temperature", the number of "annotated" labels, and before and after the
        negative log-likelihood and the calibration error.
    """
    return {
        task.name: _fitted(task, labels, mask, logits)
        for task, logits, labels, mask in _annotated(model, source, {})
    }


def calibration_errors(
    model: MultiTaskModel,
    source: tf.data.Dataset,
    columns: Mapping[str, np.ndarray] | None = None,
) -> dict[str, float]:
    """Return the calibration error of every multiclass and multilabel task, as it is.

    Args:
        model: A built model.
        source: Unbatched (inputs, labels, masks).
        columns: By task name, float [size] with 1 for labels to look at and 0 for others; None:
            all.

    Returns:
        By task name, expected calibration errors as `mtl_dm.metrics.calibration.reliability`
        measures them; none of tasks without a label.
    """
    return {
        task.name: _error(task, labels, mask, logits, 1.0)
        for task, logits, labels, mask in _annotated(model, source, columns or {})
    }


def _annotated(
    model: MultiTaskModel, source: tf.data.Dataset, columns: Mapping[str, np.ndarray]
) -> Iterator[tuple[Task, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield task, logits, labels and mask of the tasks that have probabilities and a label."""
    names = source.element_spec[1]
    wanted = [task for task in model.tasks if task.kind != "regression" and task.name in names]
    found = annotated_predictions(model, source, [task.name for task in wanted])
    for task in wanted:
        logits, labels, mask = found[task.name]
        mask = mask * columns.get(task.name, 1)
        if mask.any():
            yield task, logits, labels, mask


def _refuse_test_and_training(checkpoint: str | Path, name: str, data_dir: str | Path) -> None:
    if data.split_in(name, data_dir=data_dir).partition("[")[0] == "test":
        raise ValueError(f"Temperatures are fitted on validation data, not on a test set: {name}.")
    trained = data.sharing(name, origin_of(checkpoint).datasets, data_dir=data_dir)
    if trained:
        raise ValueError(
            f"Temperatures fitted on training data are too low; the checkpoint was trained on "
            f"{trained[0]}. Name validation data."
        )


def _fitted(task: Task, labels: np.ndarray, mask: np.ndarray, logits: np.ndarray) -> dict[str, Any]:
    temperature = best_temperature(task, labels, logits, mask)
    result: dict[str, Any] = {"temperature": temperature, "annotated": int(np.sum(mask > 0))}
    for when, value in (("before", 1.0), ("after", temperature)):
        result[f"nll_{when}"] = negative_log_likelihood(task, labels, logits, mask, value)
        result[f"calibration_error_{when}"] = _error(task, labels, mask, logits, value)
    return result


def _error(
    task: Task, labels: np.ndarray, mask: np.ndarray, logits: np.ndarray, temperature: float
) -> float:
    """Return the expected calibration error as `reliability` measures it."""
    # Softmax may exceed 1 by rounding.
    confidence, keep = np.minimum(probabilities(task, logits, temperature), 1.0), mask > 0
    if task.kind == "multiclass":
        confidence, labels = confidence[keep], labels[keep]
        right = confidence.argmax(axis=1) == labels.argmax(axis=1)
        return reliability(confidence.max(axis=1), right).error
    return reliability(confidence[keep], labels[keep] > 0.5).error
