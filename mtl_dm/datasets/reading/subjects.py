"""Splits that share no subject, made the same way every time."""

from __future__ import annotations

from collections.abc import Mapping

from mtl_dm.datasets.reading.keys import digest

SPLITS = ("train", "validation", "test")

SHARES = (0.7, 0.15, 0.15)
"""Shares of the images, in the order of `SPLITS`."""

SEED = 0


def by_subject(counts: Mapping[str, int], seed: int = SEED) -> dict[str, str]:
    """Return the split of every subject: no subject is in two, shares about `SHARES`.

    Subjects come in an order drawn by the seed; each goes where most images are still wanted.

    Args:
        counts: Subject -> number of images.
        seed: Seed of the order.

    Raises:
        ValueError: If there are fewer than three subjects.
    """
    if len(counts) < len(SPLITS):
        raise ValueError(
            f"{len(counts)} subject(s) cannot make {len(SPLITS)} splits without sharing"
        )
    total = sum(counts.values())
    wanted = {split: share * total for split, share in zip(SPLITS, SHARES, strict=True)}
    empty = set(SPLITS)
    splits: dict[str, str] = {}
    order = sorted(counts, key=lambda subject: (draw(subject, seed), subject))
    for place, subject in enumerate(order):
        # The last subjects are for the splits that have none yet.
        open_splits = empty if len(order) - place <= len(empty) else SPLITS
        split = max((name for name in SPLITS if name in open_splits), key=wanted.__getitem__)
        wanted[split] -= counts[subject]
        empty.discard(split)
        splits[subject] = split
    return splits


def draw(text: str, seed: int = SEED) -> int:
    """Return a number drawn from a text and a seed, the same in every process."""
    return digest(f"{seed} {text}")
