"""The sets of synthetic faces: who is in them, which expressions, and what is annotated.

Image i of a split is a function of (seed, set, split, i) alone, so that any of them can be drawn
without the others and in any order.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from mtl_dm.synthetic.affect import (
    ACTIVE,
    affect_model,
    checked_seed,
    sample_intensities,
    sample_valence_arousal,
)
from mtl_dm.synthetic.face import checked_size, draw_face
from mtl_dm.synthetic.identity import ATTRIBUTES, Identity, sample_identity
from mtl_dm.synthetic.nuisance import Nuisance, sample_nuisance
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task

IMAGE_SIZES = (112, 64)
EMOTIONET_UNITS = tuple(f"AU{number}" for number in (1, 2, 4, 5, 6, 9, 12, 17, 20, 25, 26))
"""The 11 action units that EmotioNet annotates."""

TASKS = (
    Task.multiclass("expression", EXPRESSIONS),
    Task.multilabel("action_units", ACTION_UNITS),
    Task.regression("valence_arousal", ("valence", "arousal"), bounds=(-1, 1)),
    Task.multilabel("attributes", ATTRIBUTES),
)

_GROUP = np.array([4, 5, 6, 7, 8])  # images of successive identities, then again
_STARTS = np.cumsum(_GROUP)
_IDENTITIES_PER_SET = 1_000_000


@dataclasses.dataclass(frozen=True)
class FaceSet:
    """One split of one set.

    Attributes:
        name: Name of the set.
        split: Name of the split.
        number: Distinguishes the sets in seeds and identities; never reuse one.
        count: Images in the built data set.
        prior: [7] shares of the expressions, summing to 1.
        expression: Whether the expression is annotated.
        units: The annotated action units.
    """

    name: str
    split: str
    number: int
    count: int
    prior: tuple[float, ...]
    expression: bool = True
    units: tuple[str, ...] = ACTION_UNITS


@dataclasses.dataclass(frozen=True, eq=False)
class Scene:
    """What an image shows.

    Attributes:
        expression: Class id.
        intensities: [17] of the action units.
        valence_arousal: float32 [2].
        identity: The person.
        nuisance: Everything else.
    """

    expression: int
    intensities: np.ndarray
    valence_arousal: np.ndarray
    identity: Identity
    nuisance: Nuisance


# Shares of neutral, happiness, sadness, fear, anger, surprise, disgust: skewed as in the
# databases that the sets stand for (AffectNet, EmotioNet, Aff-Wild2), even where one tests.
_EVEN = (1 / 7,) * 7
FACE_SETS = (
    FaceSet(
        "expression_only", "train", 1, 2_000, (0.24, 0.30, 0.12, 0.06, 0.12, 0.10, 0.06),
        units=(),
    ),
    FaceSet(
        "action_units_only", "train", 2, 8_000, (0.28, 0.34, 0.08, 0.05, 0.07, 0.11, 0.07),
        expression=False, units=EMOTIONET_UNITS,
    ),
    FaceSet("co_annotated", "train", 3, 2_000, (0.34, 0.16, 0.14, 0.08, 0.09, 0.11, 0.08)),
    FaceSet("fully_annotated", "validation", 4, 1_000, _EVEN),
    FaceSet("fully_annotated", "test", 5, 2_000, _EVEN),
)  # fmt: skip
SET_NAMES = tuple(dict.fromkeys(face_set.name for face_set in FACE_SETS))


def labelled_tasks(name: str) -> tuple[str, ...]:
    """Return the tasks that any face of a set is annotated for."""
    own = [entry for entry in FACE_SETS if entry.name == name]
    shown = {
        "expression": any(entry.expression for entry in own),
        "action_units": any(entry.units for entry in own),
    }
    return tuple(task.name for task in TASKS if shown.get(task.name, True))


def face_set(name: str, split: str) -> FaceSet:
    """Return the set `name`'s split `split`.

    Raises:
        ValueError: If there is no such set or split; the message lists the known ones.
    """
    if name not in SET_NAMES:
        raise ValueError(f"Unknown face set {name!r}. Known: {', '.join(SET_NAMES)}.")
    splits = {entry.split: entry for entry in FACE_SETS if entry.name == name}
    if split not in splits:
        raise ValueError(
            f"The face set {name!r} has no split {split!r}. Known: {', '.join(splits)}."
        )
    return splits[split]


def generate(
    name: str, split: str, count: int | None = None, size: int = 112, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """Yield examples, without TFDS.

    Args:
        name: Name of the set, one of `SET_NAMES`.
        split: "train", or "validation" or "test" of "fully_annotated".
        count: Number of images; None: as many as the built data set has.
        size: Pixels along a side.
        seed: Seed of everything.

    Yields:
        Dictionaries with `image` (uint8 [size, size, 3]), `expression` (int, -1 missing),
        `action_units` (int8 [17], -1 missing), `valence_arousal` (float32 [2]), `attributes`
        (int8 [7]), `identity` (int) and `path`.

    Raises:
        ValueError: If the set or split is unknown, or `count`, `size` or `seed` out of range.
    """
    chosen = face_set(name, split)
    checked_seed(seed)
    checked_size(size)
    number = chosen.count if count is None else count
    if number < 0:
        raise ValueError(f"count must be >= 0, got {number}.")
    # Not a generator itself, so that wrong arguments fail here and not at the first image.
    return (example(chosen, index, size, seed) for index in range(number))


def example(chosen: FaceSet, index: int, size: int = 112, seed: int = 0) -> dict[str, Any]:
    """Return image `index` of a set with the labels that the set annotates.

    Raises:
        ValueError: If `size` is too small.
    """
    seen = scene(chosen, index, seed)
    return {
        "image": draw_face(seen.identity, seen.intensities, seen.nuisance, size),
        **labels(chosen, index, seen),
    }


def labels(chosen: FaceSet, index: int, seen: Scene) -> dict[str, Any]:
    """Return what a set says of its image `index`: the labels it annotates, person and path."""
    annotated = np.isin(ACTION_UNITS, chosen.units)
    return {
        "expression": seen.expression if chosen.expression else -1,
        "action_units": np.where(annotated, seen.intensities > ACTIVE, -1).astype(np.int8),
        "valence_arousal": seen.valence_arousal,
        "attributes": seen.identity.attributes(),
        "identity": chosen.number * _IDENTITIES_PER_SET + identity_number(index),
        "path": f"{chosen.name}/{chosen.split}/{index:06d}",
    }


def scene(chosen: FaceSet, index: int, seed: int = 0) -> Scene:
    """Return what image `index` of a set shows, undrawn."""
    rng = np.random.default_rng([seed, chosen.number, 1, index])
    expression = int(np.searchsorted(np.cumsum(chosen.prior)[:-1], rng.random(), side="right"))
    intensities = sample_intensities(affect_model(seed), expression, rng)
    valence_arousal = sample_valence_arousal(expression, intensities, rng)
    identity = _identity(seed, chosen.number, identity_number(index))
    return Scene(expression, intensities, valence_arousal, identity, sample_nuisance(rng))


def identity_number(index: int) -> int:
    """Return which person of the set image `index` shows: 4 to 8 images in a row each."""
    rounds, place = divmod(index, int(_STARTS[-1]))
    return rounds * len(_GROUP) + int(np.searchsorted(_STARTS, place, side="right"))


@functools.lru_cache(maxsize=16)
def _identity(seed: int, number: int, person: int) -> Identity:
    return sample_identity(np.random.default_rng([seed, number, 0, person]))
