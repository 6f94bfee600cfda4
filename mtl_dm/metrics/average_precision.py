"""Average precision: how well scores rank the positives before the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_ROWS = 256
"""Rows of a softmax that are in float64 at a time."""


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


def softmax_columns(logits: Array) -> Iterator[Array]:
    """Yield the columns of the float64 softmax of logits [N, K], K arrays [N].

    The terms are added in sorted order: rows with the same logits in another order then get the
    same sum to the last bit, so equal probabilities stay tied whatever the order of the classes.
    One column at a time, since many classes make a large array in float64.
    """
    largest = logits.max(axis=1, initial=-np.inf).astype(np.float64)
    totals = np.empty(len(logits))
    for start in range(0, len(logits), _ROWS):
        rows = slice(start, start + _ROWS)
        terms = np.exp(logits[rows].astype(np.float64) - largest[rows, None])
        totals[rows] = np.sort(terms, axis=1).sum(axis=1)
    for column in logits.T:
        yield np.exp(column.astype(np.float64) - largest) / totals
