"""The sets of drawn clips: a face at its apex, and the streams of the frames around it.

Clip i of a split is image i of the split of the same name among the drawn faces, at the centre of
a clip: the same person, expression and labels. Its streams are draws of their own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from mtl_dm.streams import mask_of
from mtl_dm.synthetic.affect import checked_seed
from mtl_dm.synthetic.clip_streams import CLIP_LENGTH, sample_streams
from mtl_dm.synthetic.face import checked_size, draw_face
from mtl_dm.synthetic.face_sets import FACE_SETS, FaceSet, labels, scene

CLIP_SIZE = 48
"""Side of a clip's image as built."""

_COUNTS = {
    ("expression_only", "train"): 1_500,
    ("action_units_only", "train"): 3_000,
    ("co_annotated", "train"): 600,
    ("fully_annotated", "validation"): 500,
    ("fully_annotated", "test"): 1_500,
}
CLIP_SETS = tuple(
    dataclasses.replace(entry, count=_COUNTS[entry.name, entry.split]) for entry in FACE_SETS
)


def generate_clips(
    chosen: FaceSet, count: int | None = None, size: int = CLIP_SIZE, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """Yield clips, without TFDS.

    Args:
        chosen: The split of a set, one of `CLIP_SETS`.
        count: Number of clips; None: as many as the built data set has.
        size: Pixels along a side.
        seed: Seed of everything.

    Yields:
        As `clip`.

    Raises:
        ValueError: If `count`, `size` or `seed` is out of range.
    """
    checked_seed(seed)
    checked_size(size)
    number = chosen.count if count is None else count
    if number < 0:
        raise ValueError(f"count must be >= 0, got {number}.")
    return (clip(chosen, index, size, seed) for index in range(number))


def clip(
    chosen: FaceSet, index: int, size: int = CLIP_SIZE, seed: int = 0, length: int = CLIP_LENGTH
) -> dict[str, Any]:
    """Return clip `index` of a set.

    Returns:
        What `mtl_dm.synthetic.example` returns of the apex, and by the names of `STREAMS` values
        float32 [T, D] and masks float32 [T].

    Raises:
        ValueError: If `size` is too small.
    """
    seen = scene(chosen, index, seed)
    rng = np.random.default_rng([seed, chosen.number, 2, index])
    streams = sample_streams(
        seen.expression, seen.intensities, seen.valence_arousal, rng, seed, length
    )
    return {
        "image": draw_face(seen.identity, seen.intensities, seen.nuisance, size),
        **labels(chosen, index, seen),
        **{name: values for name, (values, _) in streams.items()},
        **{mask_of(name): mask for name, (_, mask) in streams.items()},
    }
