"""Many drawn people with few images each, every one with an identity and an expression.

For face verification under expressions: nobody is in two splits, so that the people who are
compared are unseen by whatever was trained. Image i of a split is a function of (seed, split, i)
alone. What people change from photo to photo (clothes, glasses, parting) changes here too, so that
it tells nobody apart.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from mtl_dm.synthetic.affect import affect_model, checked_seed, sample_intensities
from mtl_dm.synthetic.face import checked_size, draw_face
from mtl_dm.synthetic.identity import Identity, sample_identity
from mtl_dm.synthetic.nuisance import sample_nuisance
from mtl_dm.tasks import EXPRESSIONS, Task

SIDE = 64
"""Pixels along a side of the built images."""
NEUTRAL_SHARE = 0.8
"""Share of neutral images of the people to pretrain on, as sets of faces for recognition have few
expressions; of everybody else every expression is as frequent as the others."""


@dataclasses.dataclass(frozen=True)
class People:
    """The people of one split.

    Attributes:
        number: Distinguishes the splits in seeds; apart from those of every other drawn set.
        count: Of people.
        images: Of each.
        first: Class id of the first one; those of a split follow each other.
    """

    number: int
    count: int
    images: int
    first: int


GROUPS = {
    "pretraining": People(11, 240, 10, 0),
    "train": People(12, 90, 28, 240),
    "validation": People(13, 24, 14, 330),
    "test": People(14, 60, 21, 354),
}
"""The splits. Images a person are a multiple of the seven expressions where these are even."""
PEOPLE = sum(group.count for group in GROUPS.values())
COUNTS = {split: group.count * group.images for split, group in GROUPS.items()}
TASKS = (
    Task.multiclass("identity", tuple(f"person_{number}" for number in range(PEOPLE))),
    Task.multiclass("expression", EXPRESSIONS),
)


def generate_identities(
    split: str, count: int | None = None, size: int = SIDE, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """Yield examples, without TFDS; the images of a person follow each other.

    Args:
        split: One of `GROUPS`.
        count: Number of images; None: as many as the built data set has.
        size: Pixels along a side.
        seed: Seed of everything.

    Yields:
        Dictionaries with `image` (uint8 [size, size, 3]), `identity` (int, of all splits
        together), `expression` (int) and `path`.

    Raises:
        ValueError: If there is no such split, or `count`, `size` or `seed` are out of range.
    """
    if split not in GROUPS:
        raise ValueError(f"Identities have no split {split!r}. Known: {', '.join(GROUPS)}.")
    checked_seed(seed)
    checked_size(size)
    most = COUNTS[split]
    number = most if count is None else count
    if not 0 <= number <= most:
        raise ValueError(f"count must be from 0 to {most}, got {number}.")
    return (_example(split, index, size, seed) for index in range(number))


def _example(split: str, index: int, size: int, seed: int) -> dict[str, Any]:
    group = GROUPS[split]
    person, place = divmod(index, group.images)
    rng = np.random.default_rng([seed, group.number, 1, index])
    expression = _expression(split, place, rng)
    intensities = sample_intensities(affect_model(seed), expression, rng)
    shown = _today(_person(seed, group.number, person), rng)
    return {
        "image": draw_face(shown, intensities, sample_nuisance(rng), size),
        "identity": group.first + person,
        "expression": expression,
        "path": f"{split}/{index:06d}",
    }


def _expression(split: str, place: int, rng: np.random.Generator) -> int:
    if split != "pretraining":
        return place % len(EXPRESSIONS)
    neutral = rng.random() < NEUTRAL_SHARE
    other = 1 + int(rng.integers(len(EXPRESSIONS) - 1))
    return EXPRESSIONS.index("neutral") if neutral else other


def _today(person: Identity, rng: np.random.Generator) -> Identity:
    """Return a person in other clothes, with or without glasses, and the hair parted anew."""
    red, green, blue = (float(each) for each in rng.integers(30, 225, 3))
    return dataclasses.replace(
        person,
        cloth=(red, green, blue),
        glasses=int(rng.integers(1, 3)) if rng.random() < 0.2 else 0,
        parting=float(rng.uniform(-1, 1)),
    )


@functools.lru_cache(maxsize=16)
def _person(seed: int, group: int, number: int) -> Identity:
    return sample_identity(np.random.default_rng([seed, group, 0, number]))
