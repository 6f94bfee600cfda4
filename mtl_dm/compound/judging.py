"""How well compounds are recognised.

Shapes: N images, K compounds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_dm.metrics.classification import accuracy, class_counts, recalls
from mtl_dm.metrics.ratios import mean_of_defined


def unweighted_average_recall(ids: np.ndarray, predicted: np.ndarray, size: int) -> float:
    """Return the mean recall over the classes that are labelled (UAR); NaN without an image.

    Args:
        ids: Labels [N].
        predicted: [N].
        size: K.
    """
    return mean_of_defined(recalls(class_counts(ids, predicted, size)))


def judged(ids: np.ndarray, scores: np.ndarray, names: Sequence[str]) -> dict[str, float]:
    """Return the unweighted average recall of scores, their accuracy, and the recall of each class.

    The class of the highest score is predicted, of equal ones the first.

    Args:
        ids: Labels [N].
        scores: [N, K].
        names: Of the classes, [K].

    Returns:
        "uar", "accuracy" and "recall/NAME"; NaN for a class without an image.
    """
    counts = class_counts(ids, scores.argmax(axis=1), len(names))
    found = recalls(counts)
    return {
        "uar": mean_of_defined(found),
        "accuracy": accuracy(counts),
        **{f"recall/{name}": float(value) for name, value in zip(names, found, strict=True)},
    }
