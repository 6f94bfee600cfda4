"""What is known of images and what a model predicts of the rest, to learn a relatedness from.

Shapes: N images, K classes, M attributes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mtl_dm.labels import check_class_ids, refuse
from mtl_dm.relatedness._relatedness import Relatedness

Array = npt.NDArray[np.float64]


class Observations(NamedTuple):
    """What is known of images, and what a model predicts of the rest.

    Attributes:
        classes: [N, K] class probabilities that a model predicts.
        attributes: [N, M] attribute probabilities that it predicts.
        class_labels: int [N], -1 where it is missing.
        attribute_labels: [N, M], 1, 0, or negative where it is missing.
    """

    classes: Array
    attributes: Array
    class_labels: npt.NDArray[np.int64]
    attribute_labels: Array


def checked_observations(observations: Observations, start: Relatedness) -> Observations:
    """Return observations over the labels of a table as float64.

    Raises:
        ValueError: If a shape does not fit, no class or no attribute is labelled, or a
            probability or a label is out of its range.
    """
    classes, attributes, class_labels, attribute_labels = observations
    class_labels = np.asarray(class_labels)
    if class_labels.ndim != 1 or not np.issubdtype(class_labels.dtype, np.integer):
        raise ValueError(
            f"class_labels must be integers of shape [N], got {class_labels.dtype} "
            f"{class_labels.shape}."
        )
    size = len(class_labels)
    shapes = {
        "classes": (np.shape(classes), (size, len(start.classes))),
        "attributes": (np.shape(attributes), (size, len(start.attributes))),
        "attribute_labels": (np.shape(attribute_labels), (size, len(start.attributes))),
    }
    for name, (have, want) in shapes.items():
        if have != want:
            raise ValueError(f"{name} must have the shape {want}, got {have}.")
    for name, values in (("classes", classes), ("attributes", attributes)):
        if not ((np.asarray(values) >= 0) & (np.asarray(values) <= 1)).all():
            raise ValueError(f"{name} must be probabilities in [0, 1].")
    attribute_labels = np.asarray(attribute_labels, np.float64)
    if not (class_labels >= 0).any() or not (attribute_labels >= 0).any():
        raise ValueError("Learning a relatedness needs class labels and attribute labels.")
    check_class_ids("class_labels", np.maximum(class_labels, -1), len(start.classes))
    refuse("attribute_labels", "be at most 1", attribute_labels, attribute_labels > 1)
    return Observations(
        np.asarray(classes, np.float64),
        np.asarray(attributes, np.float64),
        class_labels,
        attribute_labels,
    )
