"""Pairs drawn from images of which it is known whom they show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mtl_dm.data.pairs.pairs import Pairs
from mtl_dm.draws import require_seed

MOST = 300
"""Pairs of one kind that are drawn for a fold where nothing is said; LFW has as many."""
_ROUND = 1024
"""Pairs of two people tried at a time, at least."""


def draw_pairs(
    identities: Sequence[Any] | np.ndarray,
    *,
    folds: int = 10,
    per_fold: int | None = None,
    seed: int = 0,
    images: Sequence[str] | None = None,
) -> Pairs:
    """Draw pairs from images of which it is known whom they show, as those of LFW were drawn.

    Source: Huang, Ramesh, Berg, Learned-Miller, "Labeled Faces in the Wild", 2007, section IV:
    people are dealt to folds; a pair of one person is drawn by person, then by image, that of two
    people likewise; no pair comes twice. Deviation: people with several images are dealt first, so
    that every fold has some.

    Args:
        identities: Of each image, [N]: ids from 0 on, -1 where it is missing; or names, "" where.
        folds: At least 2.
        per_fold: Pairs of one person, and as many of two, in every fold; None: as many as each
            fold can give, at most `MOST`.
        seed: The same gives the same.
        images: Names, [N]; None: the places, "0", "1", ...

    Raises:
        ValueError: If it is known of no image whom it shows, there are fewer than two folds, too
            few people, or not so many pairs.
    """
    who = np.asarray(identities)
    known = who != "" if who.dtype.kind in "US" else who >= 0
    if who.ndim != 1 or not known.any():
        raise ValueError(
            f"Pairs can be drawn only where images have an identity; of {who.size} none has one."
        )
    rng = np.random.default_rng(require_seed("the pairs", seed))
    names, person = np.unique(who[known], return_inverse=True)
    rows = [np.flatnonzero(known)[person == each] for each in range(len(names))]
    dealt = [[rows[each] for each in people] for people in deal([len(r) for r in rows], folds, rng)]
    most = min(min(possible([len(r) for r in people])) for people in dealt)
    count = min(most, MOST) if per_fold is None else per_fold
    if not 1 <= count <= most:
        raise ValueError(
            f"per_fold must be 1 to {most}, what the fold with the fewest pairs has, got {count}."
        )
    drawn = [draw(people, count, rng) for people in dealt for draw in (same_pairs, different_pairs)]
    first, second = np.concatenate(drawn).T
    everybody = tuple(str(each) if there else "" for each, there in zip(who, known, strict=True))
    names_of = map(str, range(len(who))) if images is None else images
    return Pairs(
        tuple(names_of),
        first,
        second,
        np.tile(np.repeat([True, False], count), folds),
        np.repeat(np.arange(1, folds + 1), 2 * count),
        everybody,
    )


def deal(counts: Sequence[int], folds: int, rng: np.random.Generator) -> list[list[int]]:
    """Return the people of every fold: each person in one, those with several images first.

    Args:
        counts: Images of each person.
        folds: At least 2.
        rng: Draws the order.

    Raises:
        ValueError: If there are fewer than two folds, fewer than two people a fold, or fewer with
            two images than folds.
    """
    several = np.greater(counts, 1)
    if folds < 2:
        raise ValueError(f"Pairs need at least two folds, got {folds}.")
    if len(counts) < 2 * folds or several.sum() < folds:
        raise ValueError(
            f"{folds} folds need {2 * folds} people, {folds} of them with two images; there are "
            f"{len(counts)}, and {several.sum()} with two."
        )
    order = rng.permutation(len(counts))
    order = order[np.argsort(~several[order], kind="stable")]
    dealt: list[list[int]] = [[] for _ in range(folds)]
    for start in range(0, len(order), folds):
        people = order[start : start + folds]
        # The last round is not full: which folds it leaves out is drawn too.
        for fold, person in zip(rng.permutation(folds), people, strict=False):
            dealt[fold].append(int(person))
    return dealt


def possible(counts: Sequence[int]) -> tuple[int, int]:
    """Return how many pairs of one person, and of two, images of some people make.

    Args:
        counts: Images of each person.
    """
    total = sum(counts)
    same = sum(count * (count - 1) // 2 for count in counts)
    return same, total * (total - 1) // 2 - same


def same_pairs(people: Sequence[np.ndarray], count: int, rng: np.random.Generator) -> np.ndarray:
    """Return pairs of images of one person, int [count, 2], none twice.

    A pair is drawn by person, then by image, until it is a new one. That is drawing without
    replacement, with weight 1 over the person's number of pairs: the smallest of exponential
    numbers, each divided by its pair's weight (Efraimidis and Spirakis 2006).

    Args:
        people: Images of each person; they make `count` pairs at least.
        count: Pairs.
        rng: Draws them.
    """
    every = [images[np.stack(np.triu_indices(len(images), 1), axis=1)] for images in people]
    sizes = [len(pairs) for pairs in every]
    times = rng.exponential(size=sum(sizes)) * np.repeat(sizes, sizes)
    return np.concatenate(every)[np.argsort(times, kind="stable")[:count]]


def different_pairs(
    people: Sequence[np.ndarray], count: int, rng: np.random.Generator
) -> np.ndarray:
    """Return pairs of images of two people, int [count, 2], none twice, in either order.

    Args:
        people: As for `same_pairs`.
        count: Pairs.
        rng: Draws two people, then an image of each, until `count` pairs are there.
    """
    images, sizes = np.concatenate(people), np.array([len(each) for each in people])
    starts = np.cumsum(sizes) - sizes
    found = np.empty((0, 2), np.int64)
    while len(found) < count:
        one = rng.integers(len(people), size=max(count, _ROUND))
        other = (one + rng.integers(1, len(people), size=len(one))) % len(people)
        who = np.stack([one, other], axis=1)
        found = np.concatenate([found, starts[who] + rng.integers(sizes[who])])
        code = found.min(axis=1) * len(images) + found.max(axis=1)
        _, first = np.unique(code, return_index=True)
        found = found[np.sort(first)]
    return images[found[:count]]
