"""Intervals of the metrics of pairs, by drawing people again.

Pairs that share a person are not independent: of drawing pairs again the interval would be too
narrow. P pairs, I people.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mtl_dm.draws import require_seed
from mtl_dm.metrics.verification import checked_pairs, prepare, scores_of

Array = npt.NDArray[Any]


def identity_intervals(
    distances: Any,
    same: Any,
    folds: Any,
    people: tuple[Any, Any],
    *,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Return percentile intervals of `verification_scores` by a bootstrap over people.

    Source: the vertex bootstrap of Snijders and Borgatti, "Non-parametric standard errors and
    tests for network statistics", Connections 22 (1999). With n_i the number of times that person
    i is drawn, a pair of i alone weighs n_i and a pair of i and j n_i n_j; two draws of the same
    person make no pair of two people. People are drawn within their fold, of several the lowest.
    Thresholds are chosen anew in each draw. The network is not trained anew: the interval is that
    of other people, not of another training.

    Args:
        distances: As for `verification_scores`, like what follows.
        same: [P].
        folds: [P].
        people: Who is on the first images and who on the second, [P] each.
        draws: How often all people are drawn.
        level: Coverage.
        seed: The same gives the same.

    Returns:
        By metric, without accuracy_error: (low, high); NaN where it is defined in less than half
        of the draws.

    Raises:
        ValueError: As for `verification_scores`, or if people are not as many as pairs, there are
            fewer than 2 draws, or level is not inside (0, 1).
    """
    distances, same, folds = checked_pairs(distances, same, folds)
    first, second = (np.asarray(side) for side in people)
    if first.shape != same.shape or second.shape != same.shape:
        raise ValueError(
            f"people must be two vectors as long as the {len(same)} pairs, got the shapes "
            f"{first.shape} and {second.shape}."
        )
    if draws < 2 or not 0.0 < level < 1.0:
        raise ValueError(
            f"draws must be at least 2 and level inside (0, 1), got {draws} and {level}."
        )
    rng = np.random.default_rng(require_seed("the bootstrap", seed))
    names, places = np.unique(np.stack([first, second]), return_inverse=True)
    one, other = places.reshape(2, -1)
    groups = _groups(one, other, folds, len(names))
    prepared, found = prepare(distances, folds), []
    for _ in range(draws):
        times = np.zeros(len(names))
        for group in groups:
            times[group] = rng.multinomial(len(group), np.full(len(group), 1 / len(group)))
        weights = times[one] * np.where(one == other, 1.0, times[other])
        found.append(scores_of(prepared, distances, same, weights))
    edges = ((1 - level) / 2, (1 + level) / 2)
    return {
        name: _quantiles(np.array([each[name] for each in found]), edges)
        for name in found[0]
        if name != "accuracy_error"
    }


def _groups(one: Array, other: Array, folds: Array, count: int) -> list[Array]:
    """Return the people of each fold; who is in several counts in the lowest."""
    _, fold = np.unique(folds, return_inverse=True)
    of = np.full(count, len(fold))
    for side in (one, other):
        np.minimum.at(of, side, fold)
    return [np.flatnonzero(of == fold) for fold in np.unique(of)]


def _quantiles(values: Array, edges: tuple[float, float]) -> tuple[float, float]:
    defined = values[~np.isnan(values)]
    if 2 * len(defined) < len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, edges)
    return float(low), float(high)
