"""One class out of K: rates that follow from a confusion matrix.

Shapes: N annotated rows, K classes. A matrix C [K, K] holds in C[i, j] how many rows of class i
were predicted as class j.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mtl_dm.metrics.ratios import ratio

Array = npt.NDArray[Any]


def confusion_matrix(classes: Array, predictions: Array, size: int) -> Array:
    """Return the int64 matrix [K, K] of class ids [N] against predicted ids [N]."""
    pairs = np.bincount(classes * size + predictions, minlength=size * size)
    return pairs.astype(np.int64).reshape(size, size)


def accuracy(confusion: Array) -> float:
    """Return the share of rows that are predicted right; NaN without a row."""
    rows = int(confusion.sum())
    return float(np.trace(confusion) / rows) if rows else float("nan")


def recalls(confusion: Array) -> Array:
    """Return per class [K] the share of its rows that are found; NaN for a class without rows."""
    return ratio(np.diagonal(confusion), confusion.sum(axis=1))


def f1_scores(confusion: Array) -> Array:
    """Return per class [K] F1 = 2 TP / (2 TP + FP + FN); NaN if neither labelled nor predicted."""
    return ratio(2 * np.diagonal(confusion), confusion.sum(axis=1) + confusion.sum(axis=0))


def base_rates(confusion: Array) -> Array:
    """Return per class [K] its share of the rows; NaN without a row."""
    labelled = confusion.sum(axis=1)
    return ratio(labelled, np.full_like(labelled, labelled.sum()))
