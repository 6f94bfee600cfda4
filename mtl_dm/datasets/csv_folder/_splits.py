"""Splits images into train, validation and test, the same way every time."""

from __future__ import annotations

from collections.abc import Callable

from mtl_dm.datasets.reading.keys import Keys
from mtl_dm.datasets.reading.subjects import SEED, SHARES, SPLITS, draw


class ByImage:
    """Draws the split of every image; an image listed twice is in one split only."""

    def __init__(self, seed: int = SEED) -> None:
        self._seed = seed
        self._keys = Keys()

    def add(self, path: str) -> None:
        """Count an image."""
        self._keys.add(draw(path, self._seed))

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
            place = draw(path, self._seed)
            return SPLITS[sum(place >= bound for bound in bounds)]

        return split_of
