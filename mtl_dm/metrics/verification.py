"""How well distances between images tell pairs of one person from pairs of two.

Shapes: P pairs, D numbers of an embedding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.spatial import distance as scipy_distance

from mtl_dm.metrics.verification_folds import Cuts, accuracies_at, cuts_of
from mtl_dm.metrics.verification_roc import (
    Ranked,
    area,
    equal_error_rate,
    ranked,
    roc_of,
    true_accept_rate,
)
from mtl_dm.registry import Registry

Array = npt.NDArray[Any]

FALSE_ACCEPT_RATES = (0.1, 0.01, 0.001)
"""At which the true accept rate is told."""

DISTANCES: Registry[Callable[[Array, Array], float]] = Registry("distance")
DISTANCES.register("cosine")(scipy_distance.cosine)
DISTANCES.register("euclidean")(scipy_distance.euclidean)


def pair_distances(first: Any, second: Any, kind: str = "cosine") -> Array:
    """Return the distance of every pair, [P].

    Of embeddings of length 1, Euclidean distances squared are twice the cosine ones: both rank
    pairs alike. Ming et al. scale to length 1; here the Euclidean distance is that of the
    embeddings as they are.

    Args:
        first: Embeddings of the first images, [P, D].
        second: Of the second ones.
        kind: A name of `DISTANCES`; SciPy's function of that name.

    Raises:
        ValueError: If the name is unknown, the shapes differ or are no such arrays, an embedding
            is not finite, or it is all zeros and has no direction.
    """
    measure = DISTANCES.get(kind)
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.ndim != 2 or first.shape != second.shape or not first.size:
        raise ValueError(
            "Embeddings must be two arrays of one shape [pairs, numbers], got the shapes "
            f"{first.shape} and {second.shape}."
        )
    for side in (first, second):
        wrong = np.flatnonzero(~np.isfinite(side).all(axis=1))
        if wrong.size:
            raise ValueError(f"Embeddings must be finite; that of pair {wrong[0]} is not.")
        empty = np.flatnonzero(~side.any(axis=1))
        if kind == "cosine" and empty.size:
            raise ValueError(f"The embedding of pair {empty[0]} is all zeros: it has no direction.")
    return np.array([measure(one, other) for one, other in zip(first, second, strict=True)])


def verification_scores(distances: Any, same: Any, folds: Any) -> dict[str, float]:
    """Return how well distances tell pairs apart; equal distances are never told apart.

    Args:
        distances: [P], small where two images are alike.
        same: Whether a pair shows one person, bool or 0 and 1, [P].
        folds: Of each pair, [P].

    Returns:
        By name: accuracy, the mean over the folds at thresholds chosen on the others, and
        accuracy_error, its standard error over the folds (divisor F - 1); auc; eer; tar_at_far_0.1,
        tar_at_far_0.01 and tar_at_far_0.001, NaN where there are fewer than 1/FAR pairs of two
        people, which cannot show such a rate.

    Raises:
        ValueError: If the shapes differ, a distance is not finite, `same` holds anything but 0 and
            1, there are fewer than two folds, or all pairs, or all but those of one fold, are of
            one kind.
    """
    distances, same, folds = checked_pairs(distances, same, folds)
    return scores_of(prepare(distances, folds), distances, same, np.ones(len(same)))


def checked_pairs(distances: Any, same: Any, folds: Any) -> tuple[Array, Array, Array]:
    """Return distances in float64, kinds as bool and folds, checked as `verification_scores` says.

    Raises:
        ValueError: As for `verification_scores`.
    """
    distances, given, folds = np.asarray(distances, np.float64), np.asarray(same), np.asarray(folds)
    shapes = (distances.shape, given.shape, folds.shape)
    if distances.ndim != 1 or len(set(shapes)) > 1 or not distances.size:
        raise ValueError(
            "distances, same and folds must be equally long vectors that are not empty, got the "
            f"shapes {shapes}."
        )
    if not np.isfinite(distances).all():
        place = int(np.flatnonzero(~np.isfinite(distances))[0])
        raise ValueError(f"distances must be finite, got {distances[place]} for pair {place}.")
    return distances, *checked_kinds(given, folds)


def checked_kinds(same: Any, folds: Any) -> tuple[Array, Array]:
    """Return kinds as bool and folds, checked as `verification_scores` says.

    Args:
        same: As for `verification_scores`.
        folds: Likewise, as many.

    Raises:
        ValueError: As for `verification_scores`.
    """
    given, folds = np.asarray(same), np.asarray(folds)
    if not np.isin(given, (0, 1)).all():
        raise ValueError("same must be true or false, or 1 or 0, for every pair.")
    kinds, numbers = given.astype(bool), np.unique(folds)
    if len(numbers) < 2:
        raise ValueError(f"Pairs must be in at least two folds, got {numbers.tolist()}.")
    if kinds.all() or not kinds.any():
        what = "of one person" if kinds.all() else "of two people"
        raise ValueError(f"Pairs must be of both kinds, got only pairs {what}.")
    for fold in numbers.tolist():
        others = kinds[folds != fold]
        if others.all() or not others.any():
            raise ValueError(
                f"The pairs of the folds other than {fold} are all of one kind: no threshold can "
                "be chosen there."
            )
    return kinds, folds


class Prepared(NamedTuple):
    """What does not change with weights: pairs by distance, and the cuts of every fold."""

    pairs: Ranked
    cuts: list[Cuts]


def prepare(distances: Array, folds: Array) -> Prepared:
    """Return what `scores_of` needs, once for any number of weightings."""
    return Prepared(ranked(distances), cuts_of(distances, folds))


def scores_of(
    prepared: Prepared, distances: Array, same: Array, weights: Array
) -> dict[str, float]:
    """Return the metrics of weighted pairs, without checks; NaN where one is not defined.

    Args:
        prepared: Of these distances and folds.
        distances: [P] float64.
        same: bool [P].
        weights: [P], >= 0.
    """
    curve = roc_of(prepared.pairs, same, weights)
    by_fold = accuracies_at(prepared.cuts, distances, same, weights).accuracy
    different = int((~same).sum())
    return {
        "accuracy": float(by_fold.mean()),
        "accuracy_error": float(by_fold.std(ddof=1) / np.sqrt(len(by_fold))),
        "auc": area(curve),
        "eer": equal_error_rate(curve),
        **{
            f"tar_at_far_{far:g}": true_accept_rate(curve, far)
            # A threshold that accepts none of so few pairs may accept many of more.
            if different * far >= 1 - 1e-9
            else float("nan")
            for far in FALSE_ACCEPT_RATES
        },
    }
