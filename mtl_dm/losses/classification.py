"""Supervised losses per image, blind to what is not annotated.

Shapes: B images, K classes, M attributes. Logits may be float16 or bfloat16; everything is
computed and returned in float32. A label under a zero mask may hold anything, NaN included.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from mtl_dm.losses._checks import require_shape
from mtl_dm.losses.smoothing import smoothed
from mtl_dm.tasks import Reduction


def masked_cross_entropy(
    labels: Any,
    logits: Any,
    mask: Any,
    label_smoothing: float = 0.0,
    smoothing_prior: Any = None,
) -> Any:
    """Return -log p(class | x) per image, 0 where the class is not annotated.

    Source: Kollias et al. 2024, L_Exp under eq. 1 (L_Cls in case study II); label smoothing as
    the paper uses it on CUB: labels (1 - s) + s / K, or by a prior (see `smoothed`).

    Args:
        labels: [B, K] one-hot or soft labels.
        logits: [B, K] scores before the softmax.
        mask: [B], 1 annotated, 0 not.
        label_smoothing: s in [0, 1).
        smoothing_prior: [K, K], how s is spread for each class; None: evenly.

    Returns:
        [B] float32, in nats. The expectation of L_Exp is their sum over sum(mask).

    Raises:
        ValueError: If the shapes do not fit each other.
    """
    logits = ops.cast(logits, "float32")
    require_shape("logits", logits, (None, None))
    require_shape("labels", labels, tuple(logits.shape))
    require_shape("mask", mask, tuple(logits.shape[:1]))
    mask = ops.cast(mask, "float32")
    # Not labels * mask: a NaN label times 0 is NaN.
    labels = ops.where(mask[:, None] > 0, ops.cast(labels, "float32"), 0.0)
    if label_smoothing:
        labels = smoothed(labels, label_smoothing, smoothing_prior)
    return -mask * ops.sum(labels * ops.log_softmax(logits, axis=-1), axis=-1)


def masked_binary_cross_entropy(
    labels: Any, logits: Any, mask: Any, reduction: Reduction = "mean"
) -> Any:
    """Return the attribute loss per image over its annotated attributes.

    Source: Kollias et al. 2024, L_AU under eq. 1, with delta the mask, y the labels and
    p = sigmoid(logits):
        sum_i delta_i [-y_i log p_i - (1 - y_i) log(1 - p_i)] / sum_i delta_i.
    `reduction="sum"` leaves out the denominator (a deviation: every annotated attribute then
    counts the same, however many an image has).

    Args:
        labels: [B, M] in [0, 1].
        logits: [B, M] scores before the sigmoid.
        mask: [B, M], 1 annotated, 0 not; between them a weight.
        reduction: "mean" as printed, or "sum".

    Returns:
        [B] float32, in nats; 0 for an image without annotated attributes.

    Raises:
        ValueError: If the shapes do not fit each other or `reduction` is unknown.
    """
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction must be 'mean' or 'sum', got {reduction!r}.")
    logits = ops.cast(logits, "float32")
    require_shape("logits", logits, (None, None))
    require_shape("labels", labels, tuple(logits.shape))
    require_shape("mask", mask, tuple(logits.shape))
    mask = ops.cast(mask, "float32")
    labels = ops.where(mask > 0, ops.cast(labels, "float32"), 0.0)
    # -y log p - (1 - y) log(1 - p) = softplus(z) - y z, finite for every finite z.
    total = ops.sum(mask * (ops.softplus(logits) - labels * logits), axis=-1)
    if reduction == "sum":
        return total
    weight = ops.sum(mask, axis=-1)
    return total / ops.where(weight > 0, weight, 1.0)
