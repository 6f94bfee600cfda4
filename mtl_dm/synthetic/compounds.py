"""Drawn faces with compound expressions, on which nothing is to be trained.

Action units follow the table of compounds (`mtl_dm.relatedness.compound_emotionet`) as roughly as
those of the other faces follow Table 1; valence and arousal lie around the mean of the two
components. Image i of a split is a function of (seed, split, i) alone.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from mtl_dm.relatedness import components_of, compound_emotionet
from mtl_dm.synthetic.affect import (
    ACTIVE,
    AffectModel,
    centre_between,
    checked_seed,
    model_around,
    sample_intensities,
    valence_arousal_around,
)
from mtl_dm.synthetic.face import checked_size, draw_face
from mtl_dm.synthetic.face_sets import identity_number
from mtl_dm.synthetic.identity import Identity, sample_identity
from mtl_dm.synthetic.nuisance import sample_nuisance
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task

COMPOUNDS = (
    "happily surprised", "happily disgusted", "sadly fearful", "sadly angry", "sadly surprised",
    "sadly disgusted", "fearfully angry", "fearfully surprised", "angrily surprised",
    "angrily disgusted", "disgustedly surprised",
)  # fmt: skip
"""The eleven classes of RAF-DB's compound part, in its order."""

COUNTS = {"support": 440, "test": 1_100}
"""Images to draw examples from, and test images."""

TASKS = (
    Task.multiclass("compound_expression", COMPOUNDS),
    Task.multilabel("action_units", ACTION_UNITS),
    Task.regression("valence_arousal", ("valence", "arousal")),
)

# Apart from those of the other sets and of the people, so that nobody is in both.
_NUMBERS = {"support": 9, "test": 10}


def generate_compounds(
    split: str, count: int | None = None, size: int = 112, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """Yield examples, without TFDS.

    Args:
        split: One of `COUNTS`.
        count: Number of images; None: as many as the built data set has.
        size: Pixels along a side.
        seed: Seed of everything.

    Yields:
        Dictionaries with `image` (uint8 [size, size, 3]), `compound_expression` (int; classes
        take turns), `action_units` (int8 [17]), `valence_arousal` (float32 [2]) and `path`.

    Raises:
        ValueError: If there is no such split, or `count`, `size` or `seed` are out of range.
    """
    if split not in COUNTS:
        raise ValueError(f"Compounds have no split {split!r}. Known: {', '.join(COUNTS)}.")
    checked_seed(seed)
    checked_size(size)
    number = COUNTS[split] if count is None else count
    if number < 0:
        raise ValueError(f"count must be >= 0, got {number}.")
    return (_example(split, index, size, seed) for index in range(number))


def _example(split: str, index: int, size: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, _NUMBERS[split], 1, index])
    compound = index % len(COMPOUNDS)
    intensities = sample_intensities(compound_model(seed), compound, rng)
    first, second = (EXPRESSIONS.index(each) for each in components_of(COMPOUNDS[compound]))
    affect = valence_arousal_around(centre_between(first, second), intensities, rng)
    person = _person(seed, split, identity_number(index))
    return {
        "image": draw_face(person, intensities, sample_nuisance(rng), size),
        "compound_expression": compound,
        "action_units": (intensities > ACTIVE).astype(np.int8),
        "valence_arousal": affect,
        "path": f"{split}/{index:06d}",
    }


@functools.lru_cache(maxsize=8)
def compound_model(seed: int) -> AffectModel:
    """Return how action units depend on the compound, [11, 17], for one seed.

    Raises:
        ValueError: If `seed` is negative.
    """
    rng = np.random.default_rng([checked_seed(seed), 0xC0FFEE])
    table = compound_emotionet().restrict(classes=COMPOUNDS)
    weights = np.zeros((len(COMPOUNDS), len(ACTION_UNITS)))
    weights[:, [ACTION_UNITS.index(unit) for unit in table.attributes]] = table.weights
    return model_around(weights, rng)


@functools.lru_cache(maxsize=16)
def _person(seed: int, split: str, number: int) -> Identity:
    return sample_identity(np.random.default_rng([seed, _NUMBERS[split], 0, number]))
