"""What a model predicts for the images of a source, beside their labels, task by task.

Shapes: N images, S labels of a task (K classes, M attributes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from scipy.special import expit, softmax

from mtl_dm.measuring.batches import batches_of
from mtl_dm.models import MultiTaskModel
from mtl_dm.tasks import Task

MOST_CLASSES = 1000
"""Of a task with more classes nobody reads a table of them, which would be large."""

_BATCH = 256


class Predictions(NamedTuple):
    """A task's labels and what a model predicts of N images.

    Attributes:
        task: The task.
        labels: [N, M]; of a multiclass task the class ids [N].
        mask: The same shape.
        predicted: bool [N, M]; of a multiclass task the class ids [N].
        probabilities: [N, M]; of a multiclass task [N, 2], of the label and of the prediction.
        scored: [S], False for labels that are not scored.
        classes: Probabilities [N, K] of a multiclass task, None where they are too many to keep.
    """

    task: Task
    labels: np.ndarray
    mask: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray
    scored: np.ndarray
    classes: np.ndarray | None = None


def predictions_of(
    model: MultiTaskModel, source: tf.data.Dataset, columns: Mapping[str, np.ndarray]
) -> dict[str, Predictions]:
    """Return labels and predictions of the tasks that a source is annotated for, by task name.

    Args:
        model: A built model.
        source: Unbatched (inputs, labels, masks).
        columns: By task name, float [S] with 0 for labels that are not scored; all others are.

    Returns:
        None of regressions.
    """
    names = set(source.element_spec[1])
    tasks = [task for task in model.tasks if task.name in names and task.kind != "regression"]
    batches: dict[str, list[Predictions]] = {task.name: [] for task in tasks}
    for inputs, labels, masks in batches_of(source, _BATCH, "images predicted"):
        logits = model(inputs, training=False)
        for task in tasks:
            scored = np.asarray(columns.get(task.name, np.ones(task.size)), bool)
            numbers = keras.ops.convert_to_numpy(logits[task.name]).astype(np.float64)
            label, mask = labels[task.name].numpy(), masks[task.name].numpy()
            batches[task.name].append(_of_batch(task, label, mask, numbers, scored))
    return {name: _joined(parts) for name, parts in batches.items()}


def _of_batch(
    task: Task, labels: np.ndarray, mask: np.ndarray, logits: np.ndarray, scored: np.ndarray
) -> Predictions:
    """Return what is kept of a batch: of many classes the label and the prediction alone."""
    if task.kind != "multiclass":
        probabilities = expit(logits)
        return Predictions(task, labels, mask, probabilities > 0.5, probabilities, scored)
    classes = softmax(logits, axis=1)
    ids = np.stack([labels.argmax(axis=1), classes.argmax(axis=1)], axis=1)
    of_both = np.take_along_axis(classes, ids, axis=1)
    kept = classes if task.size <= MOST_CLASSES else None
    return Predictions(task, ids[:, 0], mask, ids[:, 1], of_both, scored, kept)


def _joined(parts: Sequence[Predictions]) -> Predictions:
    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])

    rows: dict[str, Any] = {
        name: joined(name) for name in ("labels", "mask", "predicted", "probabilities")
    }
    return parts[0]._replace(
        **rows, classes=None if parts[0].classes is None else joined("classes")
    )
