"""The split of the paper: three sets, every identity in all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mtl_dm.datasets.reading.keys import digest

SPLITS = ("train", "validation", "test")

SEED = 0

SHARE = 0.1
"""Share of an identity's images for validation, and the same for test."""

Splits = npt.NDArray[np.uint8]


def subject_dependent(identities: Sequence[int], names: Sequence[str], seed: int = SEED) -> Splits:
    """Return the split of every image, as its place in `SPLITS`.

    An identity with n images gives max(1, round(n / 10)) to validation, as many to test, and the
    others to train. One with two images gives one to test and one to train; one with a single
    image gives it to train. Which images these are is drawn by the seed from their names, so
    that neither the order of the files nor other identities matter.

    Args:
        identities: Who is on each image.
        names: The image's name, all different.
        seed: Seed of the draw.
    """
    who = np.asarray(identities, dtype=np.int64)
    draws = np.array([digest(f"{seed} {name}") for name in names], dtype=np.uint64)
    order = np.lexsort((draws, who))
    _, first, counts = np.unique(who[order], return_index=True, return_counts=True)
    place = np.arange(len(who)) - np.repeat(first, counts)  # 0, 1, ... within an identity
    count = np.repeat(counts, counts)
    held_out = np.maximum(1, np.floor(SHARE * count + 0.5))
    test = np.where(count >= 2, held_out, 0)
    validation = np.where(count >= 3, held_out, 0)
    splits = np.empty(len(who), dtype=np.uint8)
    splits[order] = np.where(place < test, 2, np.where(place < test + validation, 1, 0))
    return splits
