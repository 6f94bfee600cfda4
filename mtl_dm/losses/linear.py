"""Real values that attributes predict linearly.

Shapes: B images, M attributes, R values. Everything is float32, whatever the outputs are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import ops

from mtl_dm.losses._checks import require_shape
from mtl_dm.losses.forms import FormFamily, coupling_form
from mtl_dm.losses.rules import RULES
from mtl_dm.losses.shares import Labelled
from mtl_dm.relatedness.linear import Linear


def _rule(name: str, masks: Mapping[str, Any], reduction: str, rule: str) -> Any:
    """Return the factor: a rule's for matching, with a class's label for all of the attributes'."""
    del name, reduction  # The form is a mean over values already.
    whole = ops.min(masks["source"], axis=-1)
    return RULES.create(rule).matching(Labelled(whole, masks["known"], masks.get("counted")))


LINEAR_FORMS = FormFamily("form of a linear relation", "linear_matching", _rule, "linear")
"""Forms beside `linear_matching`, which is meant where none is named."""


@coupling_form("linear_matching", ("linear",), rule=_rule)
def linear_matching(
    logits: Any,
    predictions: Any,
    relation: Linear,
    labels: Mapping[str, Any],
    masks: Mapping[str, Any],
) -> tuple[Any, Any]:
    """Return the mean over values of (y_r - b_r - sum_i a_i W_ir)^2 per image.

    Source: this project. a_i is the label of attribute i where there is one, else the prediction,
    and y_r likewise the value. What is labelled is constant: labelled attributes teach the values
    of their images, labelled values the attributes of theirs, and where neither is labelled both
    sides move towards each other. Images with every label are left out.

    Args:
        logits: [B, M], of the attributes.
        predictions: [B, R].
        relation: W and b.
        labels: "attributes" [B, M], "values" [B, R].
        masks: "attributes" [B, M], "values" [B, R].

    Returns:
        Values [B] in squared units of the target, and weights [B], 1 where a label is missing.

    Raises:
        ValueError: If the shapes do not fit each other.
    """
    size = relation.coefficients.shape
    require_shape("logits of the attributes", logits, (None, size[0]))
    require_shape("predicted values", predictions, (logits.shape[0], size[1]))
    for side, like in (("attributes", logits), ("values", predictions)):
        require_shape(f"labels of the {side}", labels[side], tuple(like.shape))
        require_shape(f"mask of the {side}", masks[side], tuple(like.shape))
    known = {side: ops.cast(masks[side], "float32") > 0 for side in ("attributes", "values")}
    told = {side: ops.cast(labels[side], "float32") for side in ("attributes", "values")}
    a = ops.where(known["attributes"], told["attributes"], ops.sigmoid(ops.cast(logits, "float32")))
    y = ops.where(known["values"], told["values"], ops.cast(predictions, "float32"))
    coefficients = ops.convert_to_tensor(relation.coefficients, dtype="float32")
    expected = ops.matmul(a, coefficients) + ops.convert_to_tensor(relation.intercept, "float32")
    whole = ops.logical_and(*(ops.all(each, axis=-1) for each in known.values()))
    return ops.mean(ops.square(y - expected), axis=-1), 1.0 - ops.cast(whole, "float32")
