"""Soft labels that another model gives: the student-teacher row of Table 2."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from mtl_dm.tasks import Task


def with_soft_labels(
    source: tf.data.Dataset, task: Task, probabilities: np.ndarray, known: np.ndarray
) -> tf.data.Dataset:
    """Return the source with a teacher's predictions as labels of one task.

    Source: Kollias et al. 2024, row S-T NC MT of Table 2. Existing labels of the task are
    replaced.

    Args:
        source: Unbatched (input, labels, masks) of known size.
        task: The task that the teacher predicts.
        probabilities: [N, size], in the order of the source.
        known: [size], 1 for labels that the teacher has learned, 0 for others (their masks are
            0); for a multiclass task all must be 1.

    Raises:
        ValueError: If a shape does not fit or a probability is outside [0, 1].
    """
    size = int(source.cardinality())
    if probabilities.shape != (size, task.size):
        raise ValueError(
            f"probabilities of {task.name!r} must have shape {(size, task.size)}, "
            f"got {probabilities.shape}."
        )
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError(f"probabilities of {task.name!r} must lie in [0, 1].")
    if known.shape != (task.size,) or (task.kind == "multiclass" and not known.all()):
        raise ValueError(
            f"known must hold {task.size} flags for {task.name!r}, all 1 for a multiclass task, "
            f"got {known}."
        )
    mask = tf.constant(1.0 if task.kind == "multiclass" else known, dtype=tf.float32)
    taught = tf.data.Dataset.from_tensor_slices(probabilities.astype(np.float32))

    def relabel(element: tuple[Any, Any, Any], soft: tf.Tensor) -> tuple[Any, Any, Any]:
        inputs, labels, masks = element
        return inputs, {**labels, task.name: soft}, {**masks, task.name: mask}

    return tf.data.Dataset.zip(source, taught).map(relabel, num_parallel_calls=tf.data.AUTOTUNE)
