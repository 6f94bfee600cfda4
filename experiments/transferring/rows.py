"""Which images of a target train and which are tested, and the pairs of those who are compared.

Shapes: N images, L labels or numbers of each.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from experiments.transferring.images import FOLDS, PAIRS, Pool
from experiments.transferring.photos import DETECTED
from experiments.transferring.targets import CLASSES, NUMBERS, PEOPLE, Target
from mtl_dm.data.pairs import draw_pairs


class Rows(NamedTuple):
    """Images of a target.

    Attributes:
        places: In the pool, [N].
        labels: int64 [N] of classes or people, float32 [N, L] of labels or numbers.
    """

    places: np.ndarray
    labels: np.ndarray


def training_rows(target: Target, pool: Pool, seed: int) -> Rows:
    """Return what a target is trained on; of people, those with several images.

    Raises:
        ValueError: If there is no row, or a class that is tested has none.
    """
    places, known = pool.places[target.train], pool.known[target.train][target.label]
    chosen = _labelled(target, known)
    if target.unit:
        chosen &= trains(target, pool, seed)
    kind = np.int64 if target.kind in (CLASSES, PEOPLE) else np.float32
    labels = known[chosen].astype(kind)
    if target.kind == PEOPLE:  # Those of a half are no numbers without gaps.
        labels = np.unique(labels, return_inverse=True)[1]
    rows = Rows(places[chosen], labels)
    require_rows(target, rows, None if target.kind == PEOPLE else testing_rows(target, pool, seed))
    return rows


def testing_rows(target: Target, pool: Pool, seed: int) -> Rows:
    """Return what a target is tested on; of people all images, whose pairs are told apart."""
    places, chosen = pool.places[target.test], _tested(target, pool, seed)
    if target.kind == PEOPLE:
        return Rows(places[chosen], np.zeros(int(chosen.sum()), np.int64))
    return Rows(places[chosen], pool.known[target.test][target.label][chosen])


def _tested(target: Target, pool: Pool, seed: int) -> np.ndarray:
    """Return which images of the test part a target is tested on, bool."""
    chosen = np.ones(len(pool.places[target.test]), bool)
    if target.kind != PEOPLE:
        chosen = _labelled(target, pool.known[target.test][target.label])
    if target.unit:
        chosen &= ~trains(target, pool, seed)
    return chosen


def _labelled(target: Target, known: np.ndarray) -> np.ndarray:
    """Return which images have their labels, bool [N]; numbers may be below 0."""
    if target.kind == NUMBERS:
        return np.ones(len(known), bool)
    labelled: np.ndarray = np.all(known.reshape(len(known), -1) >= 0, axis=1)
    return labelled


def trains(target: Target, pool: Pool, seed: int) -> np.ndarray:
    """Return which images of a target's one part are those of the half that trains, bool.

    Args:
        target: With a unit and a fold.
        pool: Has the images.
        seed: Draws the halves of the units.
    """
    units = pool.known[target.train][target.unit]
    every = np.random.default_rng(seed).permutation(np.unique(units))
    return np.isin(units, every[: len(every) // 2], invert=target.fold == 1)


def pairs_of(target: Target, pool: Pool, seed: int) -> tuple[np.ndarray, ...]:
    """Return the pairs that a target of people is tested on: first, second, same, fold.

    Args:
        target: Of people.
        pool: Has them; those of a half are drawn.
        seed: As for `testing_rows`, in whose rows first and second are places.
    """
    known = pool.known[target.test]
    if not target.unit:
        return tuple(known[name] for name in PAIRS)
    pairs = draw_pairs(known[target.label][_tested(target, pool, seed)], folds=FOLDS, seed=0)
    return tuple(np.asarray(getattr(pairs, name)) for name in PAIRS)


def require_rows(target: Target, train: Rows, test: Rows | None) -> None:
    """Check that a target can be learned.

    Args:
        target: The target.
        train: To learn from.
        test: Whose classes must be among them; None: nothing is asked of them.

    Raises:
        ValueError: If there is no training row, or none of a class that is tested.
    """
    if not len(train.places):
        raise ValueError(f"The target {target.name!r} has no training row.")
    if target.kind != CLASSES or test is None:
        return
    missing = sorted(set(test.labels.tolist()) - set(train.labels.tolist()))
    if missing:
        raise ValueError(
            f"The target {target.name!r} has no training row of class {missing[0]}, which is "
            "tested."
        )


def outputs_of(rows: Rows) -> int:
    """Return how many numbers a network of a target gives."""
    return int(rows.labels.max()) + 1 if rows.labels.ndim == 1 else rows.labels.shape[1]


def detected_of(target: Target, pool: Pool, seed: int) -> np.ndarray | None:
    """Return whether a face was found on each test image, bool [N]; None: nobody looked."""
    found = pool.known[target.test].get(DETECTED)
    return None if found is None else found[_tested(target, pool, seed)]
