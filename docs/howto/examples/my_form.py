"""Forms of coupling: two of classes and attributes, one of attributes and values."""

from collections.abc import Mapping
from typing import Any

from keras import ops

from mtl_dm.losses import LINEAR_FORMS, MATCHING_EQUATIONS, MATCHING_FORMS, mixture
from mtl_dm.relatedness import Linear, Relatedness


@MATCHING_EQUATIONS.register("my_squares")
def my_squares(class_logits: Any, attribute_logits: Any, conditional: Any) -> Any:
    """Return the mean over attributes of (p_i - q_i)^2 per image, q the mixture over classes.

    Source: Brier 1950, with q in place of the outcome. An equation needs logits alone; it is
    averaged over all images.

    Args:
        class_logits: [B, K].
        attribute_logits: [B, M].
        conditional: [K, M], P(attribute | class).
    """
    p = ops.sigmoid(ops.cast(attribute_logits, "float32"))
    return ops.mean(ops.square(p - mixture(class_logits, conditional)), axis=-1)


@MATCHING_FORMS.register("my_missing_squares")
def my_missing_squares(
    class_logits: Any,
    attribute_logits: Any,
    relatedness: Relatedness,
    labels: Mapping[str, Any],
    masks: Mapping[str, Any],
    *,
    margin: float = 0.0,
) -> tuple[Any, Any]:
    """Return the sum of max(0, |p_i - q_i| - margin)^2 over attributes without a label.

    Source: as `my_squares`. A form sees labels and masks too, and says how much each image counts.

    Args:
        class_logits: [B, K].
        attribute_logits: [B, M].
        relatedness: Its `conditional` is P(attribute | class).
        labels: Not used.
        masks: "attributes" [B, M], 1 annotated, 0 not.
        margin: A difference that costs nothing; an option, since it stands behind the star.

    Returns:
        Values [B], and weights [B]: 1 where a label is missing.
    """
    del labels
    missing = 1.0 - ops.cast(masks["attributes"], "float32")
    p = ops.sigmoid(ops.cast(attribute_logits, "float32"))
    gap = ops.abs(p - mixture(class_logits, relatedness.conditional))
    values = ops.sum(missing * ops.square(ops.relu(gap - margin)), axis=-1)
    return values, ops.max(missing, axis=-1)


@LINEAR_FORMS.register("my_predicted_values")
def my_predicted_values(
    logits: Any,
    predictions: Any,
    relation: Linear,
    labels: Mapping[str, Any],
    masks: Mapping[str, Any],
) -> tuple[Any, Any]:
    """Return the mean over values of |y_r - b_r - sum_i p_i W_ir| where no value is labelled.

    Source: this page.

    Args:
        logits: [B, M], of the attributes.
        predictions: [B, R], of the values.
        relation: W and b.
        labels: Not used.
        masks: "values" [B, R].

    Returns:
        Values [B], and weights [B].
    """
    del labels
    p = ops.sigmoid(ops.cast(logits, "float32"))
    told = ops.matmul(p, ops.convert_to_tensor(relation.coefficients, dtype="float32"))
    expected = told + ops.convert_to_tensor(relation.intercept, dtype="float32")
    gap = ops.abs(ops.cast(predictions, "float32") - expected)
    return ops.mean(gap, axis=-1), 1.0 - ops.max(ops.cast(masks["values"], "float32"), axis=-1)
