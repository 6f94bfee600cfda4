"""Splits rows into train, validation and test, the same way every time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mtl_dm.datasets.csv_folder._rows import SPLITS
from mtl_dm.datasets.reading.keys import Keys, digest

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
            f"{len(counts)} subject(s) cannot make {len(SPLITS)} splits without sharing; add a "
            "column 'split'."
        )
    total = sum(counts.values())
    wanted = {split: share * total for split, share in zip(SPLITS, SHARES, strict=True)}
    empty = set(SPLITS)
    splits: dict[str, str] = {}
    order = sorted(counts, key=lambda subject: (_draw(subject, seed), subject))
    for place, subject in enumerate(order):
        # The last subjects are for the splits that have none yet.
        open_splits = empty if len(order) - place <= len(empty) else SPLITS
        split = max((name for name in SPLITS if name in open_splits), key=wanted.__getitem__)
        wanted[split] -= counts[subject]
        empty.discard(split)
        splits[subject] = split
    return splits


class ByImage:
    """Draws the split of every image; an image listed twice is in one split only."""

    def __init__(self, seed: int = SEED) -> None:
        self._seed = seed
        self._keys = Keys()

    def add(self, path: str) -> None:
        """Count an image."""
        self._keys.add(_draw(path, self._seed))

    def rule(self) -> Callable[[str], str]:
        """Return the function path -> split, with exact shares of the images added.

        Raises:
            ValueError: If there are too few images for three splits.
        """
        draws = self._keys.sorted()
        first = round(SHARES[0] * len(draws))
        second = round((SHARES[0] + SHARES[1]) * len(draws))
        if not 0 < first < second < len(draws):
            raise ValueError(f"{len(draws)} image(s) are too few for {len(SPLITS)} splits.")
        bounds = int(draws[first]), int(draws[second])

        def split_of(path: str) -> str:
            draw = _draw(path, self._seed)
            return SPLITS[sum(draw >= bound for bound in bounds)]

        return split_of


def _draw(text: str, seed: int) -> int:
    return digest(f"{seed} {text}")
