"""One class out of K: rates that follow from three counts per class.

They are the margins and the diagonal of a confusion matrix, which itself has K^2 entries: 828 MB
for the 10,177 identities of CelebA.

Shapes: N annotated rows, K classes. Counts [3, K] hold how many rows each class labels, how many
are predicted as it, and how many of these are both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mtl_dm.metrics.ratios import ratio

Array = npt.NDArray[Any]


def class_counts(classes: Array, predictions: Array, size: int) -> Array:
    """Return the int64 counts [3, K] of class ids [N] and predicted ids [N]."""
    both = classes[classes == predictions]
    return np.stack([np.bincount(ids, minlength=size) for ids in (classes, predictions, both)])


def accuracy(counts: Array) -> float:
    """Return the share of rows that are predicted right; NaN without a row."""
    labelled, _, both = counts.sum(axis=1).tolist()
    return both / labelled if labelled else float("nan")


def recalls(counts: Array) -> Array:
    """Return per class [K] the share of its rows that are found; NaN for a class without rows."""
    labelled, _, both = counts
    return ratio(both, labelled)


def f1_scores(counts: Array) -> Array:
    """Return per class [K] F1 = 2 TP / (2 TP + FP + FN); NaN if neither labelled nor predicted."""
    labelled, predicted, both = counts
    return ratio(2 * both, labelled + predicted)


def base_rates(counts: Array) -> Array:
    """Return per class [K] its share of the rows; NaN without a row."""
    labelled = counts[0]
    return ratio(labelled, np.full_like(labelled, labelled.sum()))
