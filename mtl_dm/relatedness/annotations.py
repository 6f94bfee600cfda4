"""Relatedness counted on images annotated for both tasks."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from mtl_dm.relatedness._relatedness import Relatedness


def from_annotations(
    class_labels: Any,
    attribute_labels: Any,
    attribute_mask: Any = None,
    *,
    classes: Sequence[str],
    attributes: Sequence[str],
) -> Relatedness:
    """Return p(attribute | class) and p(class), counted on annotated images.

    Source: Kollias et al. 2024, case study II:
        p(att_i | cls_k) = #(images with att_i and cls_k) / #(images with cls_k).
    Deviation: the divisor counts only images of class k on which attribute i IS annotated; the
    two are equal where every image is fully annotated.

    Args:
        class_labels: int [N], the class of each image, -1 where it is missing.
        attribute_labels: [N, M], 1 active, 0 not active; negative or NaN where it is missing.
        attribute_mask: [N, M], 1 annotated, 0 not; None: missing values alone say so.
        classes: K class names.
        attributes: M attribute names.

    Returns:
        `conditional` and `weights` both hold p(attribute | class); `prior` the class shares;
        `counts` the divisors.

    Raises:
        ValueError: If a shape does not fit, a label is out of range, or a class or an attribute
            is never annotated together with the other (it is named; `estimate` fills such holes).
    """
    tally = count(class_labels, attribute_labels, attribute_mask, classes, attributes)
    annotated = tally.annotated
    never = np.argwhere(annotated == 0)
    if len(never):
        class_never = [name for name, row in zip(classes, annotated, strict=True) if not row.any()]
        attribute_never = [
            name for name, row in zip(attributes, annotated.T, strict=True) if not row.any()
        ]
        pairs = [f"{classes[k]} / {attributes[i]}" for k, i in never[:3]]
        raise ValueError(
            "Relatedness needs every class annotated together with every attribute. "
            f"Classes never annotated with any attribute: {class_never or 'none'}; attributes "
            f"never annotated with any class: {attribute_never or 'none'}; "
            f"{len(never)} pair(s) without an image, first {pairs}."
        )
    return tally.relatedness(classes, attributes)


@dataclasses.dataclass(frozen=True)
class Tally:
    """What annotations say, as numbers of images.

    Attributes:
        active: [K, M], images of class k with attribute i annotated and active.
        annotated: [K, M], images of class k with attribute i annotated.
        images: [K], images of class k, whatever their attributes.
        co_annotated: Images with a class and at least one annotated attribute.
    """

    active: np.ndarray
    annotated: np.ndarray
    images: np.ndarray
    co_annotated: int

    def relatedness(self, classes: Sequence[str], attributes: Sequence[str]) -> Relatedness:
        """Return the counted relatedness; a pair without an image has P = 0 and count 0.

        A class without an image would have prior 0, and no attribute could ever speak for it;
        the prior of all classes is then smoothed after Laplace, (images + 1) / (all + K).
        """
        conditional = self.active / np.maximum(self.annotated, 1.0)
        images = self.images if self.images.all() else self.images + 1.0
        return Relatedness(
            tuple(classes),
            tuple(attributes),
            conditional,
            conditional,
            f"Counted on {self.co_annotated} annotated images.",
            images / images.sum(),
            self.annotated,
        )


def count(
    class_labels: Any,
    attribute_labels: Any,
    attribute_mask: Any,
    classes: Sequence[str],
    attributes: Sequence[str],
) -> Tally:
    """Return the counts of annotations as `from_annotations` takes them.

    Raises:
        ValueError: If a shape does not fit or a label is out of range.
    """
    class_labels = np.asarray(class_labels)
    attribute_labels = np.asarray(attribute_labels, dtype=np.float64)
    mask = usable(class_labels, attribute_labels, attribute_mask, classes, attributes)
    one_hot = (class_labels[:, None] == np.arange(len(classes))).astype(np.float64)  # -1: no class
    return Tally(
        active=one_hot.T @ (mask * np.where(mask > 0, attribute_labels, 0.0)),
        annotated=one_hot.T @ mask,
        images=one_hot.sum(axis=0),
        co_annotated=int(((mask.sum(1) > 0) & (class_labels >= 0)).sum()),
    )


def usable(
    class_labels: np.ndarray,
    attribute_labels: np.ndarray,
    attribute_mask: Any,
    classes: Sequence[str],
    attributes: Sequence[str],
) -> np.ndarray:
    """Return the float [N, M] mask of usable attribute labels, inputs checked."""
    if class_labels.ndim != 1 or not np.issubdtype(class_labels.dtype, np.integer):
        raise ValueError(
            f"class_labels must be integers of shape [N], got {class_labels.dtype} "
            f"{class_labels.shape}."
        )
    shape = (len(class_labels), len(attributes))
    if attribute_labels.shape != shape:
        raise ValueError(f"attribute_labels must be {shape}, got {attribute_labels.shape}.")
    if class_labels.size and not (class_labels.min() >= -1 and class_labels.max() < len(classes)):
        raise ValueError(
            f"class_labels must be -1 (missing) or 0..{len(classes) - 1}, got "
            f"{class_labels.min()}..{class_labels.max()}."
        )
    present = attribute_labels >= 0  # False for NaN
    if attribute_mask is not None:
        attribute_mask = np.asarray(attribute_mask)
        if attribute_mask.shape != shape or not np.isin(attribute_mask, (0, 1)).all():
            raise ValueError(
                f"attribute_mask must hold 0 and 1 in shape {shape}, got {attribute_mask.shape}."
            )
        if np.isnan(attribute_labels[attribute_mask.astype(bool)]).any():
            raise ValueError("attribute_labels are NaN where attribute_mask says annotated.")
        present &= attribute_mask.astype(bool)
    if not np.isin(attribute_labels[present], (0.0, 1.0)).all():
        raise ValueError("Annotated attribute_labels must be 0 or 1.")
    return present.astype(np.float64)
