"""Distribution matching: attribute predictions against the mixture over classes (eq. 2-3).

Shapes: B images, K classes, M attributes. p_c = softmax(class logits), p_i = sigmoid(attribute
logits), q_i the mixture of eq. 2. Everything is float32, whatever the logits are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from mtl_dm.losses._checks import require_shape
from mtl_dm.registry import Registry

EPSILON = 1e-7
"""Smallest probability inside a logarithm."""

EQUATIONS: Registry[Callable[..., Any]] = Registry("matching form")
"""(class_logits, attribute_logits, conditional, *, options) -> [B], by the name of the form."""


def mixture(class_logits: Any, conditional: Any) -> Any:
    """Return q_i = sum_c p_c P(attribute i | class c), eq. 2.

    Source: Kollias et al. 2024, eq. 2.

    Args:
        class_logits: [B, K].
        conditional: [K, M], P(attribute | class) in [0, 1].

    Returns:
        [B, M] float32 probabilities.

    Raises:
        ValueError: If the shapes do not fit each other.
    """
    class_logits = ops.cast(class_logits, "float32")
    require_shape("class_logits", class_logits, (None, None))
    require_shape("conditional", conditional, (class_logits.shape[-1], None))
    return ops.matmul(
        ops.softmax(class_logits, axis=-1), ops.convert_to_tensor(conditional, dtype="float32")
    )


@EQUATIONS.register("paper")
def matching_paper(
    class_logits: Any, attribute_logits: Any, conditional: Any, *, epsilon: float = EPSILON
) -> Any:
    """Return sum_i -p_i log q_i per image, eq. 3 as printed.

    Source: Kollias et al. 2024, eq. 3. Gradients flow to both heads. The minimum over p alone is
    p = 0: the derivative with respect to every p_i is -log q_i >= 0, so the loss pushes every
    attribute down whatever the classes say (see `matching_bernoulli`).

    Args:
        class_logits: [B, K].
        attribute_logits: [B, M].
        conditional: [K, M], P(attribute | class).
        epsilon: q is clipped from below at it, since q is 0 for an attribute that no class has.

    Returns:
        [B] float32, in nats, >= 0.

    Raises:
        ValueError: If the shapes do not fit each other.
    """
    p, q = _attributes_and_mixture(class_logits, attribute_logits, conditional)
    return -ops.sum(p * ops.log(ops.maximum(q, epsilon)), axis=-1)


@EQUATIONS.register("bernoulli")
def matching_bernoulli(
    class_logits: Any, attribute_logits: Any, conditional: Any, *, epsilon: float = EPSILON
) -> Any:
    """Return the mean over attributes of -p_i log q_i - (1 - p_i) log(1 - q_i) per image.

    Source: this project; eq. 3 with the outcome "not active" counted too, so that p = 0 is no
    longer the optimum wherever the classes make the attribute likely (the minimum over p_i is 1
    where q_i > 1/2, 0 where q_i < 1/2).

    Args:
        class_logits: [B, K].
        attribute_logits: [B, M].
        conditional: [K, M], P(attribute | class).
        epsilon: q and 1 - q are clipped from below at it.

    Returns:
        [B] float32, in nats, >= 0.

    Raises:
        ValueError: If the shapes do not fit each other.
    """
    p, q = _attributes_and_mixture(class_logits, attribute_logits, conditional)
    # The mixture of the complements, since 1 - q cancels where q is close to 1.
    not_q = mixture(class_logits, 1.0 - ops.convert_to_tensor(conditional, dtype="float32"))
    active = p * ops.log(ops.maximum(q, epsilon))
    inactive = (1.0 - p) * ops.log(ops.maximum(not_q, epsilon))
    return -ops.mean(active + inactive, axis=-1)


def _attributes_and_mixture(
    class_logits: Any, attribute_logits: Any, conditional: Any
) -> tuple[Any, Any]:
    q = mixture(class_logits, conditional)
    require_shape("attribute_logits", attribute_logits, tuple(q.shape))
    return ops.sigmoid(ops.cast(attribute_logits, "float32")), q


def distribution_matching(
    class_logits: Any, attribute_logits: Any, conditional: Any, form: str = "paper"
) -> Any:
    """Return the distribution matching loss per image; its expectation is L_DM.

    Args:
        class_logits: [B, K].
        attribute_logits: [B, M].
        conditional: [K, M], P(attribute | class).
        form: "paper" (eq. 3, `matching_paper`) or "bernoulli" (`matching_bernoulli`). Forms that
            need labels work in a `Coupling` only.

    Returns:
        [B] float32, in nats. log q is clipped at q = 1e-7.

    Raises:
        ValueError: If the form is unknown or a shape does not fit.
    """
    return EQUATIONS.get(form)(class_logits, attribute_logits, conditional)
