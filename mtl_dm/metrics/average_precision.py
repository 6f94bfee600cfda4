"""Average precision: how well scores rank the positives before the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def average_precision(positive: Array, scores: Array) -> float:
    """Return AP = sum_n (R_n - R_{n-1}) P_n over the distinct scores, from high to low.

    P_n and R_n are precision and recall when every row that scores at least the n-th distinct
    score is predicted positive: tied rows enter together, so their order does not matter. Equal to
    `sklearn.metrics.average_precision_score`, except that without a positive the value is NaN
    (recall is undefined) where scikit-learn warns and returns 0.

    Args:
        positive: [N] bool.
        scores: [N], any increasing function of the probability.

    Returns:
        The average precision in [0, 1]; NaN without a positive.
    """
    if not positive.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    scores, positive = scores[order], positive[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    hits = np.cumsum(positive, dtype=np.int64)[last_of_tie]
    precision = hits / (last_of_tie + 1)
    gains = np.diff(hits, prepend=0)  # The positives that each distinct score adds.
    return float(np.sum(gains * precision) / hits[-1])


def softmax(logits: Array) -> Array:
    """Return float64 probabilities [N, K] of logits [N, K].

    The terms are added in sorted order: rows with the same logits in another order then get the
    same sum to the last bit, so equal probabilities stay tied whatever the order of the classes.
    """
    logits = logits.astype(np.float64)
    terms = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return terms / np.sort(terms, axis=1).sum(axis=1, keepdims=True)
