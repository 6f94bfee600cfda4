"""Losses of real-valued tasks (valence and arousal), per image or per batch."""

from __future__ import annotations

from typing import Any

from keras import ops

from mtl_dm.losses._checks import require_shape
from mtl_dm.losses.reduction import global_sum

_RESOLUTION = 1e-12
"""Variance relative to the squared mean below which float32 sees rounding errors only."""


def masked_squared_error(labels: Any, predictions: Any, mask: Any) -> Any:
    """Return the mean squared error per image over its annotated values.

    Source: the textbook definition; the paper has no regression task.

    Args:
        labels: [B, R] real values.
        predictions: [B, R].
        mask: [B, R], 1 annotated, 0 not; between them a weight.

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
    weight = ops.sum(mask, axis=-1)
    return ops.sum(mask * ops.square(error), axis=-1) / ops.where(weight > 0, weight, 1.0)


def concordance_loss(labels: Any, predictions: Any, mask: Any) -> tuple[Any, Any]:
    """Return 1 - mean_r CCC_r of the global batch, and whether it has anything to act on.

    Source: Lin 1989; as a loss in Kollias, Zafeiriou 2019. For each value r over its annotated
    images, with population moments (the same n everywhere),

        CCC = 2 s_xy / (s_x^2 + s_y^2 + (m_x - m_y)^2).

    A value with fewer than two annotated images, or whose labels are all the same, is left out of
    the mean: its CCC is undefined, or 0 whatever is predicted.

    Args:
        labels: [B, R] real values.
        predictions: [B, R].
        mask: [B, R], 1 annotated, 0 not.

    Returns:
        A scalar in [0, 2], float32, the same on every replica, 0 where every value is left out; and
        the weight 1, or 0 there.

    Raises:
        ValueError: If the shapes do not fit each other.
    """
    predictions = ops.cast(predictions, "float32")
    require_shape("predictions", predictions, (None, None))
    require_shape("labels", labels, tuple(predictions.shape))
    require_shape("mask", mask, tuple(predictions.shape))
    # Whether there is a label counts here, not how much: moments of images, not of weights.
    known = ops.cast(ops.cast(mask, "float32") > 0, "float32")
    x = ops.where(known > 0, predictions, 0.0)
    y = ops.where(known > 0, ops.cast(labels, "float32"), 0.0)
    count = global_sum(ops.sum(known, axis=0))
    images = ops.maximum(count, 1.0)
    mean_x = global_sum(ops.sum(x, axis=0)) / images
    mean_y = global_sum(ops.sum(y, axis=0)) / images
    # Around the means, so that float32 keeps what a difference of squares would lose.
    off_x, off_y = known * (x - mean_x), known * (y - mean_y)
    covariance = global_sum(ops.sum(off_x * off_y, axis=0)) / images
    spread_x = global_sum(ops.sum(ops.square(off_x), axis=0)) / images
    spread_y = global_sum(ops.sum(ops.square(off_y), axis=0)) / images
    divisor = spread_x + spread_y + ops.square(mean_x - mean_y)
    # The mean of equal numbers may be off by a rounding, which is no spread.
    varied = spread_y > _RESOLUTION * ops.square(mean_y)
    defined = ops.cast(ops.logical_and(count > 1, varied), "float32")
    ccc = 2.0 * covariance / ops.where(defined > 0, divisor, 1.0)
    values = ops.sum(defined)
    loss = ops.sum(defined * (1.0 - ccc)) / ops.maximum(values, 1.0)
    return loss, ops.cast(values > 0, "float32")
