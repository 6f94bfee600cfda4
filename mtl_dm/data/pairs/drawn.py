"""Pairs drawn from images of which it is known whom they show."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from mtl_dm.data.pairs.pairs import Pairs
from mtl_dm.draws import require_seed

MOST = 300
"""Pairs of one kind that are drawn for a fold where nothing is said; LFW has as many."""
FOLDS = 10
"""Folds where nothing is said and there are people enough; LFW has as many."""
_ROUND = 1024
"""Pairs of two people tried at a time, at least."""
_LISTED = 2**20
"""Pairs of one person up to which all are listed."""


def draw_pairs(
    identities: Sequence[Any] | np.ndarray,
    *,
    folds: int | None = None,
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
        identities: Of each image, [N]: ids from 0 on, -1 where it is missing; or names, as text or
            bytes, "" or None where.
        folds: At least 2; None: as many as there are people for, at most `FOLDS`.
        per_fold: Pairs of one person, and as many of two, in every fold; None: as many as each
            fold can give, at most `MOST`.
        seed: The same gives the same.
        images: Names, [N]; None: the places, "0", "1", ...

    Raises:
        ValueError: If it is known of no image whom it shows, there are fewer than two folds, too
            few people, or not so many pairs.
    """
    who = as_ids(identities)
    known = who != "" if who.dtype.kind == "U" else who >= 0
    if who.ndim != 1 or not known.any():
        raise ValueError(
            f"Pairs can be drawn only where images have an identity; of {who.size} none has one."
        )
    rng = np.random.default_rng(require_seed("the pairs", seed))
    names, person = np.unique(who[known], return_inverse=True)
    counts = np.bincount(person, minlength=len(names)).tolist()
    by_person = np.flatnonzero(known)[np.argsort(person, kind="stable")]
    rows = np.split(by_person, np.cumsum(counts)[:-1])
    folds = possible_folds(counts) if folds is None else folds
    dealt = [[rows[each] for each in people] for people in deal(counts, folds, rng)]
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


def as_ids(identities: Sequence[Any] | np.ndarray) -> np.ndarray:
    """Return numbers as they are and all else as text, [N]; "" where a name is None or NaN.

    Args:
        identities: As for `draw_pairs`. Bytes are decoded as UTF-8.
    """
    who = np.asarray(identities)
    if who.dtype.kind in "biuf":
        return who
    listed = who.ravel().tolist()
    if listed and all(isinstance(each, numbers.Real) for each in listed):
        return np.array(listed).reshape(who.shape)
    return np.array([_name(each) for each in listed], np.str_).reshape(who.shape)


def _name(value: Any) -> str:
    if value is None or value != value:  # NaN is not equal to itself.
        return ""
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)


def possible_folds(counts: Sequence[int]) -> int:
    """Return how many folds people can be dealt to, at most `FOLDS` and at least 2.

    Args:
        counts: Images of each person.
    """
    several = sum(count > 1 for count in counts)
    return max(2, min(FOLDS, len(counts) // 2, several))


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
    numbers, each divided by its pair's weight (Efraimidis and Spirakis 2006). Of many pairs not all
    are listed: how many of each person are among them is drawn first, then which.

    Args:
        people: Images of each person; they make `count` pairs at least.
        count: Pairs.
        rng: Draws them.
    """
    sizes = [len(images) * (len(images) - 1) // 2 for images in people]
    if sum(sizes) <= _LISTED:
        every = [images[np.stack(np.triu_indices(len(images), 1), axis=1)] for images in people]
        times = rng.exponential(size=sum(sizes)) * np.repeat(sizes, sizes)
        return np.concatenate(every)[np.argsort(times, kind="stable")[:count]]
    drawn = [
        images[unordered(rng.choice(size, own, replace=False))]
        for images, size, own in zip(people, sizes, shares(sizes, count, rng), strict=True)
        if own
    ]
    return np.concatenate(drawn)


def shares(sizes: Sequence[int], count: int, rng: np.random.Generator) -> np.ndarray:
    """Return how many of the first `count` pairs are each person's, int [people].

    Of a person's n pairs, each with an exponential number of mean n, let t_j be the j-th smallest.
    Then t_(j+1) - t_j, t_0 = 0, is exponential with mean n / (n - j) (Renyi 1953): the numbers of
    pairs that are not among the first ones need not be drawn.

    Args:
        sizes: Pairs n of each person; `count` at least, together.
        count: Pairs.
        rng: Draws the numbers.
    """
    kept = np.minimum(sizes, count)
    times = [
        np.cumsum(rng.exponential(size=own) * (size / (size - np.arange(own))))
        for size, own in zip(sizes, kept, strict=True)
    ]
    owner = np.repeat(np.arange(len(sizes)), kept)
    first = np.argsort(np.concatenate(times), kind="stable")[:count]
    return np.bincount(owner[first], minlength=len(sizes))


def unordered(codes: np.ndarray) -> np.ndarray:
    """Return the pair (i, j), i < j, of each code j (j - 1) / 2 + i, int [count, 2].

    Args:
        codes: From 0 on, below 2^50, [count].
    """
    codes = codes.astype(np.int64)
    second = np.floor((1 + np.sqrt(1 + 8 * codes)) / 2).astype(np.int64)
    # The root may round across a whole number.
    second -= second * (second - 1) // 2 > codes
    second += second * (second + 1) // 2 <= codes
    return np.stack([codes - second * (second - 1) // 2, second], axis=1)


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
