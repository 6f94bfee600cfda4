"""The table that annotations allow: counted where they suffice, else shrunk, given or blank."""

from __future__ import annotations

from typing import Literal

import numpy as np

from mtl_dm.relatedness._relatedness import Relatedness
from mtl_dm.relatedness.annotations import count
from mtl_dm.relatedness.expectation_maximisation import marginal
from mtl_dm.relatedness.shrinkage import estimate

Origin = Literal["counted", "shrunk", "given", "blank"]

FEW_FOR_COUNTING = 30
"""A pair of class and attribute counted on fewer images is shrunk toward what else is known."""


def best_known(
    class_labels: np.ndarray,
    attribute_labels: np.ndarray,
    attribute_mask: np.ndarray,
    *,
    classes: tuple[str, ...],
    attributes: tuple[str, ...],
    given: Relatedness | None = None,
) -> tuple[Relatedness, Origin]:
    """Return the best table that annotations allow, and where it comes from.

    Args:
        class_labels: int [N], -1 where it is missing.
        attribute_labels: [N, M].
        attribute_mask: [N, M], 1 annotated, 0 not.
        classes: K class names.
        attributes: M attribute names.
        given: What is known besides, over the same labels.

    Returns:
        The table; without `given` it leaves out the attributes of which nothing is known. "blank":
        it holds the attributes' frequencies, the same for every class, from which to learn.

    Raises:
        ValueError: As `from_annotations` for bad arrays.
    """
    tally = count(class_labels, attribute_labels, attribute_mask, classes, attributes)
    both = tally.annotated.max() > 1  # `estimate` needs two images to choose how much to shrink.
    if given is not None and not both:
        return given, "given"
    known = np.ones(len(attributes), bool)
    if given is None:
        known = np.asarray((tally.annotated if both else attribute_mask).any(axis=0))
    names = tuple(attributes[i] for i in np.flatnonzero(known))
    labels, mask = attribute_labels[:, known], attribute_mask[:, known]
    if not both:
        labels = np.where(mask, labels, -1.0)
        return marginal(class_labels, labels, classes=classes, attributes=names), "blank"
    if tally.annotated[:, known].min() >= FEW_FOR_COUNTING:
        return count(class_labels, labels, mask, classes, names).relatedness(
            classes, names
        ), "counted"
    arrays = class_labels, labels, mask
    return estimate(*arrays, classes=classes, attributes=names, toward=given), "shrunk"
