"""What a model's predictions, or a set's labels, say about classes and attributes.

Shapes: N images, K classes, M attributes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def implied_conditional(
    class_probabilities: Any, attribute_probabilities: Any, mask: Any = None
) -> npt.NDArray[np.float64]:
    """Return P(attribute i | class k) as predictions imply it, [K, M].

    With p(k | x) and p(i | x) of image x, and conditional independence given the image,

        P(i | k) = sum_n p(k | x_n) p(i | x_n) / sum_n p(k | x_n)

    over the images of a set. One-hot classes and 0/1 attributes give the plain counts of
    `from_annotations`, so that predictions and labels can be compared.

    Args:
        class_probabilities: [N, K].
        attribute_probabilities: [N, M].
        mask: [N, M] of 0 and 1, the entries to count; None counts all. What stands under a 0 is
            ignored, NaN included.

    Returns:
        float64 in [0, 1]; NaN where no counted image has the class.

    Raises:
        ValueError: If a shape does not fit or a counted probability is outside [0, 1].
    """
    classes = np.asarray(class_probabilities, np.float64)
    attributes = np.asarray(attribute_probabilities, np.float64)
    if classes.ndim != 2 or attributes.ndim != 2 or len(classes) != len(attributes):
        raise ValueError(
            "class_probabilities must be [N, K] and attribute_probabilities [N, M], got the "
            f"shapes {classes.shape} and {attributes.shape}."
        )
    weights = np.ones_like(attributes) if mask is None else np.asarray(mask, np.float64)
    if weights.shape != attributes.shape:
        raise ValueError(f"mask must have the shape {attributes.shape}, got {weights.shape}.")
    attributes = np.where(weights > 0, attributes, 0.0)
    for name, values in (("class", classes), ("attribute", attributes)):
        if not ((values >= 0) & (values <= 1)).all():  # NaN fails both comparisons
            raise ValueError(f"{name}_probabilities must lie in [0, 1].")
    mass = classes.T @ weights
    undefined = np.full(mass.shape, np.nan)
    return np.divide(classes.T @ (weights * attributes), mass, out=undefined, where=mass > 0)
