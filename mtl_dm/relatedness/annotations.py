"""Relatedness counted on images annotated for both tasks."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from mtl_dm.labels import check_absence, check_class_ids, refuse
from mtl_dm.relatedness._relatedness import Relatedness

_ROWS = 65_536
"""Images counted at a time: memory beyond the arguments' own does not grow with their number."""


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
        attribute_mask: [N, M], 1 annotated, 0 missing, whatever the label; where it is 1 there
            must be a label. None: missing values alone say so.
        classes: K class names.
        attributes: M attribute names.

    Returns:
        `conditional` and `weights` both hold p(attribute | class); `prior` the class shares;
        `counts` the divisors.

    Raises:
        ValueError: If a shape does not fit, a label breaks its rule (the row is named), no
            attribute is ever 0 while -1 would mean missing, or a class or an attribute is never
            annotated together with the other (it is named; `estimate` fills such holes).
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
        """Return the counted relatedness; a pair without an image has P = 0 and count 0."""
        conditional = self.active / np.maximum(self.annotated, 1.0)
        return Relatedness(
            tuple(classes),
            tuple(attributes),
            conditional,
            conditional,
            f"Counted on {self.co_annotated} annotated images.",
            class_shares(self.images),
            self.annotated,
        )


def class_shares(images: np.ndarray) -> np.ndarray:
    """Return the share of each class; smoothed after Laplace where one has no image.

    A class without an image would have prior 0, and no attribute could ever speak for it; all K
    are then (images + 1) / (all + K).

    Args:
        images: [K], images of each class.
    """
    smoothed = images if images.all() else images + 1.0
    return smoothed / smoothed.sum()


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
    class_labels, attribute_labels = np.asarray(class_labels), np.asarray(attribute_labels)
    mask = None if attribute_mask is None else np.asarray(attribute_mask)
    _check_shapes(class_labels, attribute_labels, mask, classes, attributes)
    size = len(classes), len(attributes)
    active, annotated, co_annotated = np.zeros(size), np.zeros(size), 0
    for start in range(0, len(class_labels), _ROWS):
        rows = slice(start, start + _ROWS)
        ids, labels = class_labels[rows].astype(np.int64), attribute_labels[rows].astype(np.float64)
        present = _annotated(labels, None if mask is None else mask[rows], start)
        known = present & (ids >= 0)[:, None]
        active += _pairs(ids, known & (labels > 0), size)
        annotated += _pairs(ids, known, size)
        co_annotated += int(known.any(axis=1).sum())
    images = np.bincount(class_labels[class_labels >= 0], minlength=len(classes))
    return Tally(active, annotated, images.astype(np.float64), co_annotated)


def _pairs(ids: np.ndarray, where: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return in how many rows of each class [K] an attribute [M] is marked in `where` [N, M]."""
    rows, columns = np.nonzero(where)
    flat = np.bincount(ids[rows] * size[1] + columns, minlength=size[0] * size[1])
    return flat.reshape(size)


def usable(
    class_labels: np.ndarray,
    attribute_labels: np.ndarray,
    attribute_mask: Any,
    classes: Sequence[str],
    attributes: Sequence[str],
) -> np.ndarray:
    """Return the float [N, M] mask of usable attribute labels, inputs checked.

    Raises:
        ValueError: If a shape does not fit or a label is out of range.
    """
    mask = None if attribute_mask is None else np.asarray(attribute_mask)
    _check_shapes(class_labels, attribute_labels, mask, classes, attributes)
    return _annotated(attribute_labels, mask).astype(np.float64)


def _check_shapes(
    class_labels: np.ndarray,
    attribute_labels: np.ndarray,
    mask: np.ndarray | None,
    classes: Sequence[str],
    attributes: Sequence[str],
) -> None:
    """Check the shapes, the classes, and that attributes have a way to be absent."""
    if class_labels.ndim != 1 or not np.issubdtype(class_labels.dtype, np.integer):
        raise ValueError(
            f"class_labels must be integers of shape [N], got {class_labels.dtype} "
            f"{class_labels.shape}."
        )
    shape = (len(class_labels), len(attributes))
    if attribute_labels.shape != shape:
        raise ValueError(f"attribute_labels must be {shape}, got {attribute_labels.shape}.")
    check_class_ids("class_labels", class_labels, len(classes))
    if mask is None:
        check_absence("attribute_labels", attribute_labels)
    elif mask.shape != shape:
        raise ValueError(f"attribute_mask must be {shape}, got {mask.shape}.")


def _annotated(attribute_labels: np.ndarray, mask: np.ndarray | None, first: int = 0) -> np.ndarray:
    """Return where there is an attribute label, bool [N, M], labels and mask checked."""
    present = attribute_labels >= 0  # False for NaN
    if mask is not None:
        refuse("attribute_mask", "be 0 or 1", mask, ~np.isin(mask, (0, 1)), first)
        annotated = mask.astype(bool)
        rule = "be 0 or 1 where the mask is 1"
        refuse("attribute_labels", rule, attribute_labels, annotated & ~present, first)
        present = annotated
    wrong = present & ~np.isin(attribute_labels, (0.0, 1.0))
    hint = " One that is missing is -1 or NaN, or under mask 0."
    refuse("attribute_labels", "be 0 or 1", attribute_labels, wrong, first, hint)
    return present
