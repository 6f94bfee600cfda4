"""What the labels of a batch leave open, as shares of it: how much a coupling term can inform.

A mask may weigh images; here only whether there is a label counts.

Shapes: B images, M attributes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from keras import ops

from mtl_dm.losses.reduction import global_sum


class Labelled(NamedTuple):
    """What is labelled in a batch.

    Attributes:
        classes: [B], 1 where the class is annotated, 0 not.
        attributes: [B, M], 1 where the attribute is annotated, 0 not.
        counted: [B], 1 for images of the batch to look at, 0 for others; None: all.
    """

    classes: Any
    attributes: Any
    counted: Any = None


def missing_attributes(labelled: Labelled) -> Any:
    """Return the share of attribute labels of the global batch that are missing, a scalar.

    It is what `conditional` matching informs.
    """
    missing = 1.0 - _annotated(labelled.attributes)
    of = ops.ones_like(missing) * _counted(labelled)[:, None]
    return _share(missing * of, of)


def attributes_without_class(labelled: Labelled) -> Any:
    """Return the share of the global batch with attribute labels and no class label, a scalar.

    It is what `posterior` co-annotation informs.
    """
    of = _counted(labelled)
    return _share(_some(labelled) * (1.0 - _annotated(labelled.classes)) * of, of)


def attributes_beside_class(labelled: Labelled) -> Any:
    """Return the share of attribute labels that images with a class have, a scalar.

    Of the global batch; 0 where no image has a class.
    """
    known = _annotated(labelled.attributes)
    of = ops.ones_like(known) * (_annotated(labelled.classes) * _counted(labelled))[:, None]
    return _share(known * of, of)


def class_beside_attributes(labelled: Labelled) -> Any:
    """Return the share of images with attribute labels that have a class too, a scalar.

    Of the global batch; 0 where no image has an attribute label.
    """
    of = _some(labelled) * _counted(labelled)
    return _share(_annotated(labelled.classes) * of, of)


def _annotated(mask: Any) -> Any:
    return ops.cast(ops.cast(mask, "float32") > 0, "float32")


def _some(labelled: Labelled) -> Any:
    """Return 1 for images with an annotated attribute, [B]."""
    return ops.max(_annotated(labelled.attributes), axis=-1)


def _counted(labelled: Labelled) -> Any:
    if labelled.counted is None:
        return ops.ones_like(_annotated(labelled.classes))
    return ops.cast(labelled.counted, "float32")


def _share(part: Any, of: Any) -> Any:
    """Return sum(part) / sum(of) over the global batch; 0 where there is nothing."""
    return global_sum(ops.sum(part)) / ops.maximum(global_sum(ops.sum(of)), 1.0)
