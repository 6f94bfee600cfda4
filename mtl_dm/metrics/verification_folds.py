"""Accuracy of pairs at the best threshold, chosen on the other folds.

Shapes: P pairs, F folds, C distinct distances.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mtl_dm.metrics.verification_roc import Ranked, ranked

Array = npt.NDArray[Any]


class FoldAccuracies(NamedTuple):
    """By fold, [F] each.

    Attributes:
        fold: Numbers of the folds, rising.
        threshold: The largest distance that is accepted, chosen on the other folds.
        accuracy: Share of the fold's weight that is right at it.
    """

    fold: Array
    threshold: Array
    accuracy: Array


class Cuts(NamedTuple):
    """What a fold's threshold is chosen among.

    Attributes:
        fold: Number of the fold.
        own: Places of its pairs, int.
        others: Places of the pairs of all other folds, int.
        pairs: Those, ranked.
        threshold: One below, one between, one at the top of their distances, [C + 1].
    """

    fold: int
    own: Array
    others: Array
    pairs: Ranked
    threshold: Array


def fold_accuracies(
    distances: Array, same: Array, folds: Array, weights: Array | None = None
) -> FoldAccuracies:
    """Return the accuracy of every fold at the threshold that is best on the others.

    Source: the protocol of Labeled Faces in the Wild, view 2 (Huang et al. 2007, section III).
    Every cut between two neighbouring distances of the other folds is tried, half-way; of equally
    good ones the middle one is taken. Deviation from Ming et al., who try 0, 0.01, ..., 4: such a
    grid suits the distances of one network and is too coarse for another's.

    Args:
        distances: [P], finite.
        same: bool [P].
        folds: Of each pair, int [P]; at least two.
        weights: [P], >= 0; None: 1 each.

    Returns:
        Accuracy by fold, NaN in one without weight.
    """
    weights = np.ones(len(same)) if weights is None else weights
    return accuracies_at(cuts_of(distances, folds), distances, same, weights)


def cuts_of(distances: Array, folds: Array) -> list[Cuts]:
    """Return what the threshold of each fold is chosen among; it knows neither kinds nor weights.

    Args:
        distances: [P], finite.
        folds: Of each pair, int [P]; at least two.
    """
    found = []
    for fold in np.unique(folds).tolist():
        others = np.flatnonzero(folds != fold)
        pairs = ranked(distances[others])
        low, high = pairs.distance[:-1], pairs.distance[1:]
        middle = low + (high - low) / 2
        # Half-way between neighbouring floats may round up, which would accept the next pair too.
        between = np.where(middle < high, middle, low)
        below = np.nextafter(pairs.distance[:1], -np.inf)
        threshold = np.concatenate([below, between, pairs.distance[-1:]])
        found.append(Cuts(fold, np.flatnonzero(folds == fold), others, pairs, threshold))
    return found


def accuracies_at(
    cuts: list[Cuts], distances: Array, same: Array, weights: Array
) -> FoldAccuracies:
    """Return the accuracy of every fold at the best of its cuts; arguments as above."""
    # Accepting a pair of one person makes it right, accepting one of two people wrong.
    gain = np.where(same, weights, -weights)
    thresholds, found = [], []
    for cut in cuts:
        gains = cut.pairs.totals(gain[cut.others])
        # Sums of weights carry rounding: what is equal but for that counts as equal.
        best = np.flatnonzero(gains >= gains.max() - 1e-9 * len(gain))
        threshold = cut.threshold[best[len(best) // 2]]
        right = (distances[cut.own] <= threshold) == same[cut.own]
        total = weights[cut.own].sum()
        found.append(weights[cut.own] @ right / total if total else np.nan)
        thresholds.append(threshold)
    return FoldAccuracies(
        np.array([cut.fold for cut in cuts]), np.array(thresholds), np.array(found)
    )
