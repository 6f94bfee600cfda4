"""A model's metrics on a source, streamed; at 0.5, and beside it at chosen thresholds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtl_dm.measuring.batches import batches_of
from mtl_dm.metrics import Evaluator, best_f1_thresholds, with_tuned
from mtl_dm.models import MultiTaskModel
from mtl_dm.models.finite import require_finite_outputs

BATCH = 256
"""Examples a prediction."""

Seen = Callable[[str, np.ndarray, np.ndarray, np.ndarray], None]
"""Name of a task, labels, logits and mask of a batch."""


def evaluate(
    model: MultiTaskModel,
    source: tf.data.Dataset,
    *,
    columns: Mapping[str, np.ndarray] | None = None,
    thresholds: Mapping[str, np.ndarray] | None = None,
    batch_size: int = BATCH,
    seen: Seen | None = None,
) -> dict[str, dict[str, float]]:
    """Return every metric of every task that the source is annotated for.

    Args:
        model: A built model.
        source: Unbatched (inputs, labels, masks).
        columns: By task name, float [size] with 1 for labels to score and 0 for others; None:
            score all.
        thresholds: By task name, probabilities above which an attribute counts as present (see
            `choose_thresholds`); None: 0.5.
        batch_size: Examples a prediction; the result does not depend on it.
        seen: Called with every batch of every task, for whoever measures something else of it.

    Returns:
        By task name, metrics as `mtl_dm.metrics.evaluate` names them.
    """
    (found,) = _measure(model, source, [thresholds or {}], columns or {}, batch_size, seen)
    return found


def evaluate_tuned(
    model: MultiTaskModel,
    source: tf.data.Dataset,
    thresholds: Mapping[str, np.ndarray],
    *,
    columns: Mapping[str, np.ndarray] | None = None,
    batch_size: int = BATCH,
) -> dict[str, dict[str, float]]:
    """Return what `evaluate` gives at 0.5, and beside it the metrics at chosen thresholds.

    The labels of `source` have no part in the thresholds: choose them before, with
    `choose_thresholds(model, validation)`, or, where all data but the test set are trained on, on
    held-out training data that a second model of the same kind scores.

    Args:
        model: A built model.
        source: Unbatched (inputs, labels, masks), the test set.
        thresholds: By task name, as `choose_thresholds` gives them. Tasks that are not named have
            no metrics beside those at 0.5; names that the model lacks are left out.
        columns: As for `evaluate`.
        batch_size: As for `evaluate`.

    Returns:
        By task name, the metrics of `evaluate`, then, of the tasks in `thresholds`,
        "accuracy_tuned", "f1_tuned", "afa_tuned" and those of each label ("f1_tuned/AU1").

    Raises:
        ValueError: If thresholds do not fit their task or are not inside (0, 1).
    """
    default, tuned = _measure(model, source, [{}, thresholds], columns or {}, batch_size)
    return {
        name: with_tuned(metrics, tuned[name]) if name in thresholds else metrics
        for name, metrics in default.items()
    }


def _measure(
    model: MultiTaskModel,
    source: tf.data.Dataset,
    settings: Sequence[Mapping[str, np.ndarray]],
    columns: Mapping[str, np.ndarray],
    batch_size: int,
    seen: Seen | None = None,
) -> list[dict[str, dict[str, float]]]:
    """Return the metrics for each of several thresholds by task name, in one pass."""
    names = set(source.element_spec[1])
    tasks = [task for task in model.tasks if task.name in names]
    found = [
        {task.name: Evaluator(task, thresholds.get(task.name)) for task in tasks}
        for thresholds in settings
    ]
    for inputs, labels, masks in batches_of(source, batch_size):
        logits = _logits(model, inputs)
        for task in tasks:
            mask = keras.ops.convert_to_numpy(masks[task.name])
            mask = mask * columns.get(task.name, 1)
            true = labels[task.name].numpy()
            for evaluators in found:
                evaluators[task.name].update(true, logits[task.name], mask)
            if seen is not None:
                seen(task.name, true, logits[task.name], mask)
    return [
        {name: evaluator.result() for name, evaluator in evaluators.items()} for evaluators in found
    ]


def choose_thresholds(
    model: MultiTaskModel,
    source: tf.data.Dataset,
    *,
    columns: Mapping[str, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """Return the thresholds of the multilabel tasks with the highest F1 on a validation source.

    Args:
        model: A built model.
        source: Unbatched (inputs, labels, masks); never the test set.
        columns: By task name, float [size] with 1 for labels to choose thresholds for; the others
            keep 0.5. None: all.

    Returns:
        By name of each multilabel task that the source is annotated for, probabilities [size].
    """
    columns = columns or {}
    names = source.element_spec[1]
    tasks = [task for task in model.tasks if task.kind == "multilabel" and task.name in names]
    found = annotated_predictions(model, source, [task.name for task in tasks])
    chosen = {}
    for task in tasks:
        logits, labels, masks = found[task.name]
        # A label without annotation keeps 0.5.
        masks = masks * columns.get(task.name, 1)
        chosen[task.name] = best_f1_thresholds(task, labels, logits, masks)
    return chosen


def predict(
    model: MultiTaskModel,
    source: tf.data.Dataset,
    batch_size: int = BATCH,
    names: Sequence[str] | None = None,
) -> dict[str, np.ndarray]:
    """Return the logits of every example of a source, in its order: by task name, [N, size].

    Args:
        model: A built model.
        source: Unbatched (inputs, labels, masks).
        batch_size: Examples a prediction; the result does not depend on it.
        names: Tasks to keep; None: all.
    """
    names = [task.name for task in model.tasks] if names is None else names
    alone = source.map(lambda inputs, labels, masks: inputs)
    parts: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for inputs in batches_of(alone, batch_size, "images predicted"):
        logits = _logits(model, inputs)
        for name, found in parts.items():
            found.append(logits[name])
    return {name: np.concatenate(found) for name, found in parts.items()}


def annotated_predictions(
    model: MultiTaskModel, source: tf.data.Dataset, names: Sequence[str]
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return logits, labels and masks of every example of a source, in its order, by task name.

    Args:
        model: A built model.
        source: Unbatched (inputs, labels, masks).
        names: Of tasks that the source is annotated for.
    """
    parts: dict[str, list[tuple[np.ndarray, ...]]] = {name: [] for name in names}
    for inputs, labels, masks in batches_of(source, BATCH, "images predicted"):
        logits = _logits(model, inputs)
        for name, found in parts.items():
            found.append((logits[name], labels[name].numpy(), masks[name].numpy()))
    return {
        name: (
            np.concatenate([part[0] for part in found]),
            np.concatenate([part[1] for part in found]),
            np.concatenate([part[2] for part in found]),
        )
        for name, found in parts.items()
    }


def _logits(model: MultiTaskModel, inputs: Any) -> dict[str, np.ndarray]:
    # Called directly: a study evaluates many models once, and each compiled predict function
    # would cost more than it saves.
    outputs = model(inputs, training=False)
    found = {name: keras.ops.convert_to_numpy(logits) for name, logits in outputs.items()}
    require_finite_outputs(found)
    return found
