"""How much a coupling term counts, from what the labels of the batch alone say.

A term teaches only where the label of the task that it teaches is missing. Counting it with the
share of the batch that it informs, it fades out where everything is labelled, and needs no search
where hardly anything is.

Shapes: B images, M attributes.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from mtl_dm.losses.reduction import global_sum

BASE_FACTORS = {"conditional": 1.0, "posterior": 0.5}
"""Factors of the forms that the rule weighs, chosen on inner splits of experiments/coupling_study.
The factor of any other form is 1, whatever the labels are: the paper's lambda."""


def missing_attributes(attribute_mask: Any, counted: Any = None) -> Any:
    """Return the share of attribute labels of the global batch that are missing, a scalar.

    It is what `conditional` matching informs.

    Args:
        attribute_mask: [B, M], 1 annotated, 0 not.
        counted: [B], 1 for images of the batch to look at, 0 for others; None: all.
    """
    missing = 1.0 - _annotated(attribute_mask)
    of = ops.ones_like(missing) if counted is None else ops.ones_like(missing) * counted[:, None]
    return global_sum(ops.sum(missing * of)) / ops.maximum(global_sum(ops.sum(of)), 1.0)


def attributes_without_class(class_mask: Any, attribute_mask: Any, counted: Any = None) -> Any:
    """Return the share of the global batch with attribute labels and no class label, a scalar.

    It is what `posterior` co-annotation informs.

    Args:
        class_mask: [B], 1 annotated, 0 not.
        attribute_mask: [B, M], 1 annotated, 0 not.
        counted: As for `missing_attributes`.
    """
    class_known = _annotated(class_mask)
    of = ops.ones_like(class_known) if counted is None else counted
    some = ops.max(_annotated(attribute_mask), axis=-1)
    informed = global_sum(ops.sum(some * (1.0 - class_known) * of))
    return informed / ops.maximum(global_sum(ops.sum(of)), 1.0)


def _annotated(mask: Any) -> Any:
    # A mask may weigh images; here only whether there is a label counts.
    return ops.cast(ops.cast(mask, "float32") > 0, "float32")


def matching_factor(form: str, attribute_mask: Any, reduction: str, counted: Any = None) -> Any:
    """Return the factor of a matching term that the rule gives.

    Args:
        form: Name of the form.
        attribute_mask: [B, M].
        reduction: Of the attribute loss. "mean": a term that is a sum over attributes is divided
            by their number too, so that both stay in proportion.
        counted: As for `missing_attributes`.
    """
    if form not in BASE_FACTORS:
        return 1.0
    attributes = attribute_mask.shape[-1] if reduction == "mean" else 1
    return BASE_FACTORS[form] / attributes * missing_attributes(attribute_mask, counted)


def co_annotation_factor(
    form: str, class_mask: Any, attribute_mask: Any, counted: Any = None
) -> Any:
    """Return the factor of a co-annotation term that the rule gives.

    Args:
        form: Name of the form.
        class_mask: [B].
        attribute_mask: [B, M].
        counted: As for `missing_attributes`.
    """
    if form not in BASE_FACTORS:
        return 1.0
    return BASE_FACTORS[form] * attributes_without_class(class_mask, attribute_mask, counted)
