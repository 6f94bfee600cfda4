"""A model's metrics on a source, streamed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtl_dm.metrics import Evaluator, best_f1_thresholds
from mtl_dm.models import MultiTaskModel


def evaluate(
    model: MultiTaskModel,
    source: tf.data.Dataset,
    *,
    columns: Mapping[str, np.ndarray] | None = None,
    thresholds: Mapping[str, np.ndarray] | None = None,
    batch_size: int = 256,
) -> dict[str, dict[str, float]]:
    """Return every metric of every task that the source is annotated for.

    Args:
        model: A built model.
        source: Unbatched (input, labels, masks).
        columns: By task name, float [size] with 1 for labels to score and 0 for others; None:
            score all.
        thresholds: By task name, probabilities above which an attribute counts as present (see
            `choose_thresholds`); None: 0.5.
        batch_size: Images per prediction; the result does not depend on it.

    Returns:
        By task name, metrics as `mtl_dm.metrics.evaluate` names them.
    """
    names = set(source.element_spec[1])
    evaluators = {
        task.name: Evaluator(task, (thresholds or {}).get(task.name))
        for task in model.tasks
        if task.name in names
    }
    for inputs, labels, masks in source.batch(batch_size).prefetch(tf.data.AUTOTUNE):
        logits = _logits(model, inputs)
        for name, evaluator in evaluators.items():
            mask = keras.ops.convert_to_numpy(masks[name])
            if columns and name in columns:
                mask = mask * columns[name]
            evaluator.update(labels[name].numpy(), logits[name], mask)
    return {name: evaluator.result() for name, evaluator in evaluators.items()}


def choose_thresholds(model: MultiTaskModel, source: tf.data.Dataset) -> dict[str, np.ndarray]:
    """Return the thresholds of the multilabel tasks with the highest F1 on a validation source.

    Args:
        model: A built model.
        source: Unbatched (input, labels, masks); never the test set.

    Returns:
        By name of each multilabel task that the source is annotated for, probabilities [size].
    """
    logits = predict(model, source)
    chosen = {}
    for task in model.tasks:
        if task.kind == "multilabel" and task.name in source.element_spec[1]:
            pairs = source.map(
                lambda inputs, labels, masks, name=task.name: (labels[name], masks[name])
            )
            batches = list(pairs.batch(4096).as_numpy_iterator())
            labels, masks = (np.concatenate(part) for part in zip(*batches, strict=True))
            chosen[task.name] = best_f1_thresholds(task, labels, logits[task.name], masks)
    return chosen


def predict(
    model: MultiTaskModel, source: tf.data.Dataset, batch_size: int = 256
) -> dict[str, Any]:
    """Return the logits of every image of a source, in its order: by task name, [N, size]."""
    batches = source.map(lambda inputs, labels, masks: inputs).batch(batch_size)
    parts = [_logits(model, inputs) for inputs in batches.prefetch(tf.data.AUTOTUNE)]
    return {task.name: np.concatenate([part[task.name] for part in parts]) for task in model.tasks}


def _logits(model: MultiTaskModel, inputs: Any) -> dict[str, np.ndarray]:
    # Called directly: a study evaluates many models once, and each compiled predict function
    # would cost more than it saves.
    outputs = model(inputs, training=False)
    return {name: keras.ops.convert_to_numpy(logits) for name, logits in outputs.items()}
