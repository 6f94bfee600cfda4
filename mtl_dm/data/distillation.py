"""Labels that another model, a teacher, gives: the student-teacher row of Table 2, embeddings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_dm.labels import check_labels
from mtl_dm.tasks import Task


def with_soft_labels(
    source: tf.data.Dataset,
    task: Task,
    probabilities: np.ndarray,
    known: np.ndarray | None = None,
    *,
    gaps: bool = False,
) -> tf.data.Dataset:
    """Return the source with a teacher's predictions as labels of one task.

    Source: Kollias et al. 2024, row S-T NC MT of Table 2. Existing labels of the task are
    replaced, unless only gaps are filled. All predictions are held in memory;
    `with_predicted_labels` asks as it goes.

    Args:
        source: Unbatched (input, labels, masks) of known size.
        task: The task that the teacher predicts.
        probabilities: [N, size], in the order of the source: distributions over the classes,
            attributes in [0, 1], or for a regression any finite values, those beyond its bounds
            taken as the nearest bound.
        known: [size], 1 for labels that the teacher has learned, 0 for others (their masks are
            0); for a multiclass task all must be 1. None: all.
        gaps: Keep the labels that the source has, and fill in the others alone.

    Raises:
        ValueError: If a shape does not fit, `known` holds anything but 0 and 1, or a prediction
            breaks the rule of a label (see `mtl_dm.labels`).
    """
    known = _checked_known(task, known)
    rows = _checked_labels(task, probabilities, int(source.cardinality()), "probabilities")
    labelled = tf.data.Dataset.zip(source, tf.data.Dataset.from_tensor_slices(rows))
    return _relabelled(labelled, task, known, gaps)


def with_predicted_labels(
    source: tf.data.Dataset,
    task: Task,
    predict: Callable[[Any], Any],
    known: np.ndarray | None = None,
    *,
    batch_size: int = 256,
) -> tf.data.Dataset:
    """Return the source with what a teacher predicts, batch by batch as it streams.

    Memory holds a batch, however large the source and the predictions. The order is that of the
    source and the batches are always the same ones, so that a seed fixes all that follows. Each
    time the source is read the teacher is asked anew; `.cache(path)` behind it asks once.

    Args:
        source: Unbatched (input, labels, masks) of known size, the inputs of one shape.
        task: The task that the teacher predicts.
        predict: Takes the inputs of a batch as NumPy arrays, [B, ...] or a dictionary of such,
            and returns [B, size] as `with_soft_labels` takes them. It is asked for the first batch
            at once, so that a teacher that does not fit is refused here.
        known: As for `with_soft_labels`.
        batch_size: Images per prediction.

    Raises:
        ValueError: As `with_soft_labels`; for a later batch than the first TensorFlow raises an
            `InvalidArgumentError` with that message.
    """
    known, size = _checked_known(task, known), int(source.cardinality())
    if size < 0:
        raise ValueError(
            "The source must have a known size; state it with "
            "source.apply(tf.data.experimental.assert_cardinality(n))."
        )
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}.")
    structure = source.element_spec[0]

    def ask(first: int, *inputs: np.ndarray) -> np.ndarray:
        labels = predict(tf.nest.pack_sequence_as(structure, inputs))
        return _checked_labels(task, labels, len(inputs[0]), "predictions", int(first))

    def label(number: tf.Tensor, element: tuple[Any, Any, Any]) -> tuple[Any, tf.Tensor]:
        arguments = [number * batch_size, *tf.nest.flatten(element[0])]
        rows = tf.numpy_function(ask, arguments, tf.float32)
        return element, tf.ensure_shape(rows, (None, task.size))

    batches = source.batch(batch_size)
    for inputs, _, _ in batches.take(1).as_numpy_iterator():
        ask(0, *tf.nest.flatten(inputs))
    # One batch after the other: a teacher on one device gains nothing from two calls at once.
    labelled = batches.enumerate().map(lambda number, element: label(number, element)).unbatch()
    return _relabelled(labelled.apply(tf.data.experimental.assert_cardinality(size)), task, known)


def _relabelled(
    labelled: tf.data.Dataset, task: Task, known: np.ndarray, gaps: bool = False
) -> tf.data.Dataset:
    """Return elements of ((input, labels, masks), new labels) with labels and masks replaced."""
    mask = tf.constant(1.0 if task.kind == "multiclass" else known, dtype=tf.float32)

    def relabel(element: tuple[Any, Any, Any], row: tf.Tensor) -> tuple[Any, Any, Any]:
        inputs, labels, masks = element
        own = masks.get(task.name) if gaps else None
        if own is None:
            return inputs, {**labels, task.name: row}, {**masks, task.name: mask}
        filled = tf.where(own > 0, labels[task.name], row)
        return inputs, {**labels, task.name: filled}, {**masks, task.name: tf.maximum(own, mask)}

    return labelled.map(relabel, num_parallel_calls=tf.data.AUTOTUNE)


def _checked_known(task: Task, known: np.ndarray | None) -> np.ndarray:
    known = np.ones(task.size) if known is None else np.asarray(known)
    fits = known.shape == (task.size,) and np.isin(known, (0, 1)).all()
    if not fits or (task.kind == "multiclass" and not known.all()):
        raise ValueError(
            f"known must hold {task.size} flags for {task.name!r}, all 1 for a multiclass task, "
            f"got {known}."
        )
    return known


def _checked_labels(task: Task, given: Any, rows: int, what: str, first: int = 0) -> np.ndarray:
    """Return a teacher's labels as float32 [rows, size]."""
    labels = np.asarray(given).astype(np.float32)
    if labels.shape != (rows, task.size):
        raise ValueError(
            f"{what} of {task.name!r} must have shape {(rows, task.size)}, got {labels.shape}."
        )
    if task.bounds is not None:
        # A head that reaches beyond means the end; what is no number stays, and is refused.
        labels = np.where(np.isfinite(labels), np.clip(labels, *task.bounds), labels)
    check_labels(task, labels, np.ones((rows, *task.mask_shape), bool), first)
    return labels
