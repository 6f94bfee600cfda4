"""The ROC of pairs and what is read off it: AUC, equal error rate, TAR at FAR.

A pair is accepted, taken for one person, where its distance is at most a threshold t:

    TAR(t) = weight of accepted pairs of one person / weight of all of these,
    FAR(t) = weight of accepted pairs of two people / weight of all of these.

Shapes: P pairs, C distinct distances.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mtl_dm.metrics.ratios import ratio

Array = npt.NDArray[Any]


class Roc(NamedTuple):
    """A step for each distinct distance, after one where nothing is accepted, [C + 1] each.

    Attributes:
        far: False accept rate, rising from 0 to 1.
        tar: True accept rate, likewise.
        threshold: The largest distance that is accepted; -inf first.
    """

    far: Array
    tar: Array
    threshold: Array


class Ranked(NamedTuple):
    """Pairs by rising distance.

    Attributes:
        order: Places of the pairs, int [P].
        last: Where in `order` the last pair of each distinct distance stands, int [C].
        distance: The distinct distances, rising, [C].
    """

    order: Array
    last: Array
    distance: Array

    def totals(self, weights: Array) -> Array:
        """Return the weight that is accepted at no distance, then at each one, [..., C + 1].

        Args:
            weights: [..., P], in the order of the pairs.
        """
        sums = np.cumsum(weights[..., self.order], axis=-1)[..., self.last]
        return np.concatenate([np.zeros_like(sums[..., :1]), sums], axis=-1)


def ranked(distances: Array) -> Ranked:
    """Return pairs by rising distance; equal ones enter together.

    Args:
        distances: [P].
    """
    order = np.argsort(distances, kind="stable")
    rising = distances[order]
    last = np.append(np.flatnonzero(np.diff(rising)), len(rising) - 1)
    return Ranked(order, last, rising[last])


def roc(distances: Array, same: Array, weights: Array | None = None) -> Roc:
    """Return the ROC of pairs, NaN in a rate of which there is no pair.

    Args:
        distances: [P], finite.
        same: bool [P].
        weights: [P], >= 0; None: 1 each.
    """
    return roc_of(ranked(distances), same, np.ones(len(same)) if weights is None else weights)


def roc_of(pairs: Ranked, same: Array, weights: Array) -> Roc:
    """Return the ROC of pairs that are ranked already; arguments as for `roc`."""
    tar, far = (pairs.totals(np.where(kind, weights, 0.0)) for kind in (same, ~same))
    threshold = np.append(-np.inf, pairs.distance)
    far, tar = (ratio(rate, np.full_like(rate, rate[-1])) for rate in (far, tar))
    return Roc(far, tar, threshold)


def area(curve: Roc) -> float:
    """Return the AUC: the chance that a pair of one person is closer than one of two, ties half."""
    return float(np.trapezoid(curve.tar, curve.far))


def equal_error_rate(curve: Roc) -> float:
    """Return the rate at which FAR = 1 - TAR, on the straight lines between the steps."""
    gap = curve.far + curve.tar - 1.0
    if np.isnan(gap).any():
        return float("nan")
    after = int(np.argmax(gap >= 0.0))  # Never the first step: there the gap is -1.
    share = gap[after - 1] / (gap[after - 1] - gap[after])
    return float(curve.far[after - 1] + share * (curve.far[after] - curve.far[after - 1]))


def true_accept_rate(curve: Roc, far: float) -> float:
    """Return the highest TAR of a threshold whose FAR is at most `far`.

    Deviation from Schroff et al. (FaceNet, 2015, section 4) and Ming et al., who interpolate a
    threshold on nine folds and measure the tenth: here no line is drawn between steps, for no
    threshold reaches what lies there, and the threshold is that of the pairs themselves.

    Args:
        curve: The ROC.
        far: In [0, 1].
    """
    if np.isnan(curve.far).any():
        return float("nan")
    # Sums of weights carry rounding: what is equal but for that counts as equal.
    return float(curve.tar[np.searchsorted(curve.far, far + 1e-12, side="right") - 1])
