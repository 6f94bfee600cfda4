"""What a card says of a task on a test set; pure functions.

Shapes: N images, K classes, M attributes, R values of a regression.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import ndtri

from mtl_dm.metrics.concordance import Moments, concordance
from mtl_dm.relatedness.contradictions import wilson

LEAST = 30
"""Test images below which nothing is said of a label."""
LEVEL = 0.95
_Z = float(ndtri((1 + LEVEL) / 2))

Share = dict[str, Any]
"""value, low and high (95%), and of how many; the first three None where these are few."""


def share(successes: int, trials: int) -> Share:
    """Return a share with Wilson's interval; no value of fewer than `LEAST` trials."""
    if trials < LEAST:
        return {"value": None, "low": None, "high": None, "of": trials}
    value = successes / trials
    low, high = wilson(value, trials, _Z)
    return {"value": value, "low": low, "high": high, "of": trials}


def accuracy(right: np.ndarray) -> Share:
    """Return the share of bool [N] that is True."""
    return share(int(right.sum()), len(right))


def recalls(labels: np.ndarray, predicted: np.ndarray, names: Sequence[str]) -> dict[str, Share]:
    """Return of every class the share of its images that are predicted right.

    Args:
        labels: Class ids [N].
        predicted: Likewise.
        names: Of the K classes.
    """
    return {name: accuracy(predicted[labels == place] == place) for place, name in enumerate(names)}


def f1(hits: int, others: int) -> Share:
    """Return the F1 of an attribute with an interval; no value of fewer than `LEAST` images.

    F1 = 2 TP / (2 TP + FP + FN) = 2 s / (1 + s), where s = TP / (TP + FP + FN). Among the images
    that are labelled or predicted present, s is a share of independent trials, so that Wilson's
    interval of s, mapped through this increasing function, is one of F1 (this project; given the
    number of those images).

    Args:
        hits: TP, images labelled and predicted present.
        others: FP + FN, images that are one of both.
    """
    found = share(hits, hits + others)
    return {
        name: value if name == "of" or value is None else 2 * value / (1 + value)
        for name, value in found.items()
    }


def attributes(
    present: np.ndarray,
    predicted: np.ndarray,
    known: np.ndarray,
    names: Sequence[str],
    precisions: Mapping[str, float],
) -> dict[str, dict[str, Any]]:
    """Return F1 at 0.5, average precision and base rate of every attribute.

    Args:
        present: bool [N, M], as labelled.
        predicted: bool [N, M].
        known: bool [N, M], where there is a label.
        names: Of the M attributes.
        precisions: By name, the average precision.

    Returns:
        By name; the average precision is None with fewer than `LEAST` images that show it.
    """
    found = {}
    for place, name in enumerate(names):
        here = known[:, place]
        labels, said = present[here, place], predicted[here, place]
        positives = int(labels.sum())
        found[name] = {
            "f1": f1(int((labels & said).sum()), int((labels ^ said).sum())),
            "average_precision": finite(precisions.get(name)) if positives >= LEAST else None,
            "base_rate": float(labels.mean()) if len(labels) else None,
            "positives": positives,
        }
    return found


def concordances(
    labels: np.ndarray, values: np.ndarray, known: np.ndarray, names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return the concordance correlation of every value of a regression, with an interval.

    Args:
        labels: [N, R].
        values: [N, R], predicted.
        known: bool [N, R], where there is a label.
        names: Of the R values.
    """
    return {
        name: {"ccc": ccc(labels[known[:, place], place], values[known[:, place], place])}
        for place, name in enumerate(names)
    }


def ccc(labels: np.ndarray, values: np.ndarray) -> Share:
    """Return the concordance correlation with an interval; no value of fewer than `LEAST` images.

    The interval is the jackknife's of z = arctanh(CCC): pseudo-values N z - (N - 1) z_i, where z_i
    leaves image i out; their mean +- 1.96 standard errors, mapped back (Tukey 1958; the transform
    is that of Lin 1989, "A Concordance Correlation Coefficient to Evaluate Reproducibility").

    Args:
        labels: [N].
        values: [N], predicted.
    """
    count = len(labels)
    nothing = {"value": None, "low": None, "high": None, "of": count}
    if count < LEAST:
        return nothing
    whole = Moments.of(labels[:, None], values[:, None], np.ones((count, 1), bool))
    value = float(concordance(whole)[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        z, left_out = np.arctanh(value), np.arctanh(_without_each(labels, values))
        pseudo = count * z - (count - 1) * left_out
        middle, reach = pseudo.mean(), _Z * pseudo.std(ddof=1) / math.sqrt(count)
    if not (np.isfinite(middle) and np.isfinite(reach)):  # Perfect agreement, or no spread.
        return {**nothing, "value": value}
    return {
        "value": value,
        "low": float(np.tanh(middle - reach)),
        "high": float(np.tanh(middle + reach)),
        "of": count,
    }


def _without_each(labels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the concordance correlation without image i, for every i, [N]."""
    rest = len(labels) - 1
    # Around their means, so that squares lose no digits.
    y, x = labels - labels.mean(), values - values.mean()
    apart = labels.mean() - values.mean()
    mean_y, mean_x = -y / rest, -x / rest
    covariance = ((y @ x) - y * x) / rest - mean_y * mean_x
    variances = ((y @ y) - y * y + (x @ x) - x * x) / rest - mean_y**2 - mean_x**2
    return np.asarray(2 * covariance / (variances + (apart + mean_y - mean_x) ** 2))


def finite(value: float | None) -> float | None:
    """Return a number, or None where it is none or not finite."""
    return None if value is None or not math.isfinite(value) else float(value)
