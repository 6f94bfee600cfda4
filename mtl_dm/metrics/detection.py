"""Any subset of M attributes: rates that follow from four counts an attribute.

Shapes: N rows, M attributes. Counts [4, M] are, over the annotated entries of an attribute: how
many there are, how many are labelled present, how many are predicted present, how many are both.
These four are sums over rows, so the counts of two batches add up.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mtl_dm.metrics.ratios import ratio

Array = npt.NDArray[Any]


def binary_counts(present: Array, predicted: Array, mask: Array) -> Array:
    """Return the int64 counts [4, M] of bool labels, predictions and mask, each [N, M]."""
    entries = (mask, mask & present, mask & predicted, mask & present & predicted)
    return np.stack([np.sum(entry, axis=0, dtype=np.int64) for entry in entries])


def accuracies(counts: Array) -> Array:
    """Return per attribute [M] the share of annotated entries predicted right; NaN without any."""
    annotated, present, predicted, both = counts
    return ratio(annotated - present - predicted + 2 * both, annotated)


def f1_scores(counts: Array) -> Array:
    """Return per attribute [M] the binary F1 = 2 TP / (labelled + predicted).

    0 where the attribute is neither labelled nor predicted present (scikit-learn's
    `zero_division=0`), NaN where it is not annotated at all.
    """
    annotated, present, predicted, both = counts
    defined = np.where(present + predicted == 0, 0.0, ratio(2 * both, present + predicted))
    return np.where(annotated == 0, np.nan, defined)


def base_rates(counts: Array) -> Array:
    """Return per attribute [M] the share of annotated entries labelled present; NaN without any."""
    return ratio(counts[1], counts[0])


def threshold_logits(thresholds: Array) -> Array:
    """Return the logits log(t / (1 - t)) of probabilities t; exactly 0 for 0.5."""
    return np.log(thresholds) - np.log1p(-thresholds)
