"""Losses of real-valued tasks per image (valence and arousal)."""

from __future__ import annotations

from typing import Any

from keras import ops

from mtl_dm.losses._checks import require_shape


def masked_squared_error(labels: Any, predictions: Any, mask: Any) -> Any:
    """Return the mean squared error per image over its annotated values.

    Source: the textbook definition; the paper has no regression task.

    Args:
        labels: [B, R] real values.
        predictions: [B, R].
        mask: [B, R], 1 annotated, 0 not.

    Returns:
        [B] float32, in squared units of the labels; 0 for an image without annotation.

    Raises:
        ValueError: If the shapes do not fit each other.
    """
    predictions = ops.cast(predictions, "float32")
    require_shape("predictions", predictions, (None, None))
    require_shape("labels", labels, tuple(predictions.shape))
    require_shape("mask", mask, tuple(predictions.shape))
    mask = ops.cast(mask, "float32")
    error = ops.where(mask > 0, ops.cast(labels, "float32") - predictions, 0.0)
    return ops.sum(ops.square(error), axis=-1) / ops.maximum(ops.sum(mask, axis=-1), 1.0)
