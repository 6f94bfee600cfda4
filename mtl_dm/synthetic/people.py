"""Few people in many drawn images each: identities and attributes, as in CelebA.

Image i of a split is a function of (seed, split, i) alone. Every person is in every split, as in
the split of Kollias et al. 2024 (`mtl_dm.datasets.celeb_a_identity`).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from mtl_dm.synthetic.affect import ACTIVE, affect_model, checked_seed, sample_intensities
from mtl_dm.synthetic.face import checked_size, draw_face
from mtl_dm.synthetic.identity import ATTRIBUTES, Identity, sample_identity
from mtl_dm.synthetic.nuisance import sample_nuisance
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task

PEOPLE = 60
SIDE = 96
"""Pixels along a side of the built images."""
COUNTS = {"train": 1_200, "validation": 300, "test": 600}
SHOWN = {"smiling": ("AU12",), "mouth_open": ("AU25", "AU26"), "raised_brows": ("AU1", "AU2")}
"""Attributes of an image, not of its person: any of these action units is active."""
TASKS = (
    Task.multiclass("identity", tuple(f"person_{number}" for number in range(PEOPLE))),
    Task.multilabel("attributes", (*ATTRIBUTES, *SHOWN)),
)

# Apart from those of `mtl_dm.synthetic.face_sets.FACE_SETS`, so that nobody is in both.
_NUMBERS = {"train": 6, "validation": 7, "test": 8}


def generate_people(
    split: str, count: int | None = None, size: int = SIDE, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """Yield examples, without TFDS.

    Args:
        split: One of `COUNTS`.
        count: Number of images; None: as many as the built data set has.
        size: Pixels along a side.
        seed: Seed of everything.

    Yields:
        Dictionaries with `image` (uint8 [size, size, 3]), `identity` (int), `attributes` (int8
        [10]) and `path`.

    Raises:
        ValueError: If there is no such split, or `count`, `size` or `seed` are out of range.
    """
    if split not in COUNTS:
        raise ValueError(f"People have no split {split!r}. Known: {', '.join(COUNTS)}.")
    checked_seed(seed)
    checked_size(size)
    number = COUNTS[split] if count is None else count
    if number < 0:
        raise ValueError(f"count must be >= 0, got {number}.")
    return (_example(split, index, size, seed) for index in range(number))


def _example(split: str, index: int, size: int, seed: int) -> dict[str, Any]:
    """Return image `index`: people take turns, with any expression in any surroundings."""
    rng = np.random.default_rng([seed, _NUMBERS[split], 1, index])
    person = _person(seed, index % PEOPLE)
    expression = int(rng.integers(len(EXPRESSIONS)))
    intensities = sample_intensities(affect_model(seed), expression, rng)
    return {
        "image": draw_face(person, intensities, sample_nuisance(rng), size),
        "identity": index % PEOPLE,
        "attributes": np.concatenate([person.attributes(), shown(intensities)]),
        "path": f"{split}/{index:06d}",
    }


def shown(intensities: np.ndarray) -> np.ndarray:
    """Return int8 [3], 1 where the attribute of an image named in `SHOWN` holds.

    Args:
        intensities: [17] of the action units.
    """
    active = np.asarray(intensities) > ACTIVE
    return np.array(
        [active[np.isin(ACTION_UNITS, units)].any() for units in SHOWN.values()], np.int8
    )


@functools.lru_cache(maxsize=PEOPLE)
def _person(seed: int, number: int) -> Identity:
    return sample_identity(np.random.default_rng([seed, _NUMBERS["train"], 0, number]))
