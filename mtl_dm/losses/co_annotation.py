"""Soft co-annotation: class predictions against soft labels made from attributes (eq. 4-6).

Shapes: B images, K classes, M attributes. Everything is float32, whatever the logits are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from mtl_dm.losses._checks import require_shape
from mtl_dm.registry import Registry

EPSILON = 1e-7
"""Smallest probability inside a logarithm."""

EQUATIONS: Registry[Callable[..., Any]] = Registry("co-annotation form")
"""(class_logits, soft_labels, *, options) -> [B], by the name of the form."""


def soft_labels(attributes: Any, mask: Any, weights: Any) -> Any:
    """Return the soft class label q that annotated attributes suggest, eq. 4-5.

    Source: Kollias et al. 2024: the indicator score (eq. 4) of class c is
        I_c = sum_i w_ci y_i / sum_i w_ci
    and q = softmax(I) (eq. 5). Attributes that are not annotated count in neither sum; a class
    whose related attributes are all unannotated, or that has none (neutral), scores 0.

    Args:
        attributes: [B, M], y in [0, 1]; anything under a zero mask.
        mask: [B, M], 1 annotated, 0 not.
        weights: [K, M], w of Table 1.

    Returns:
        [B, K] float32 probabilities.

    Raises:
        ValueError: If the shapes do not fit each other.
    """
    require_shape("attributes", attributes, (None, None))
    require_shape("mask", mask, tuple(attributes.shape))
    require_shape("weights", weights, (None, attributes.shape[-1]))
    mask = ops.cast(mask, "float32")
    attributes = ops.where(mask > 0, ops.cast(attributes, "float32"), 0.0)
    transposed = ops.transpose(ops.convert_to_tensor(weights, dtype="float32"))
    related = ops.matmul(mask, transposed)
    present = ops.matmul(mask * attributes, transposed)
    # The score is 0 / 0 := 0; the inner `where` keeps the division itself finite.
    has_related = related > 0
    scores = ops.where(has_related, present / ops.where(has_related, related, 1.0), 0.0)
    return ops.softmax(scores, axis=-1)


@EQUATIONS.register("paper")
def co_annotation_paper(class_logits: Any, soft_labels: Any, *, epsilon: float = EPSILON) -> Any:
    """Return sum_c -p_c log q_c per image, eq. 6 as printed.

    Source: Kollias et al. 2024, eq. 6, with p = softmax(class logits) as the weight and the soft
    label q inside the logarithm: linear in p, so its minimum puts all mass on the likeliest class.

    Args:
        class_logits: [B, K].
        soft_labels: [B, K] probabilities.
        epsilon: q is clipped from below at it.

    Returns:
        [B] float32, in nats, >= 0.

    Raises:
        ValueError: If the shapes do not fit each other.
    """
    class_logits, soft_labels = _checked(class_logits, soft_labels)
    p = ops.softmax(class_logits, axis=-1)
    return -ops.sum(p * ops.log(ops.maximum(soft_labels, epsilon)), axis=-1)


@EQUATIONS.register("distillation")
def co_annotation_distillation(class_logits: Any, soft_labels: Any) -> Any:
    """Return sum_c -q_c log p_c per image: the soft label as a teacher.

    Source: Hinton, Vinyals, Dean 2015; eq. 6 with the roles of p and q exchanged. Its minimum
    over p is p = q.

    Args:
        class_logits: [B, K].
        soft_labels: [B, K] probabilities.

    Returns:
        [B] float32, in nats, >= 0.

    Raises:
        ValueError: If the shapes do not fit each other.
    """
    class_logits, soft_labels = _checked(class_logits, soft_labels)
    return -ops.sum(soft_labels * ops.log_softmax(class_logits, axis=-1), axis=-1)


def _checked(class_logits: Any, soft_labels: Any) -> tuple[Any, Any]:
    require_shape("class_logits", class_logits, (None, None))
    require_shape("soft_labels", soft_labels, tuple(class_logits.shape))
    return ops.cast(class_logits, "float32"), ops.cast(soft_labels, "float32")


def soft_co_annotation(class_logits: Any, soft_labels: Any, form: str = "paper") -> Any:
    """Return the soft co-annotation loss per image; its expectation is L_SCA.

    Args:
        class_logits: [B, K].
        soft_labels: [B, K], from `soft_labels`.
        form: "paper" (eq. 6, `co_annotation_paper`) or "distillation".

    Returns:
        [B] float32, in nats.

    Raises:
        ValueError: If the form is unknown or a shape does not fit.
    """
    return EQUATIONS.get(form)(class_logits, soft_labels)
