"""P pairs of images, who is on them and which fold they belong to."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Collection

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Pairs:
    """P pairs of N images.

    Attributes:
        images: Names of the images, each once, [N].
        first: Place in `images`, int [P].
        second: Likewise.
        same: Whether both show the same person, bool [P].
        fold: Number of the fold, int [P].
        identities: Who is on each image, [N], "" where that is not known; None: of no image.

    Raises:
        ValueError: If there is no pair, lengths differ, a place is none or an image is named twice.
    """

    images: tuple[str, ...]
    first: np.ndarray
    second: np.ndarray
    same: np.ndarray
    fold: np.ndarray
    identities: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in ("first", "second", "same", "fold")}
        if not self.first.size or len(set(lengths.values())) > 1:
            raise ValueError(f"Pairs must be as many in every array, at least one, got {lengths}.")
        places = np.concatenate([self.first, self.second])
        if places.min() < 0 or places.max() >= len(self.images):
            raise ValueError(
                f"Places of images must lie in [0, {len(self.images) - 1}], got {places.min()} to "
                f"{places.max()}."
            )
        if len(set(self.images)) != len(self.images):
            raise ValueError("Pairs must name every image once.")
        if self.identities is not None and len(self.identities) != len(self.images):
            raise ValueError(
                f"Pairs must have one identity an image, got {len(self.identities)} for "
                f"{len(self.images)}."
            )

    def people(self) -> tuple[np.ndarray, np.ndarray]:
        """Return who is on the first and on the second images, two arrays of names [P].

        Raises:
            ValueError: If it is not known of an image.
        """
        names = np.array([""] * len(self.images) if self.identities is None else self.identities)
        first, second = names[self.first], names[self.second]
        unknown = np.flatnonzero((first == "") | (second == ""))
        if unknown.size:
            raise ValueError(f"It is not known who is on the images of pair {unknown[0]}.")
        return first, second

    def in_several_folds(self) -> list[str]:
        """Return who is in several folds, by name.

        Raises:
            ValueError: As for `people`.
        """
        names = np.concatenate(self.people())
        once = set(zip(names.tolist(), np.tile(self.fold, 2).tolist(), strict=True))
        counts = collections.Counter(name for name, _ in once)
        return sorted(name for name, count in counts.items() if count > 1)

    def of_folds(self, folds: Collection[int]) -> Pairs:
        """Return the pairs of some folds.

        Raises:
            ValueError: If there is no such fold.
        """
        known = sorted(set(self.fold.tolist()))
        unknown = sorted(set(folds) - set(known))
        if unknown or not folds:
            raise ValueError(f"Folds must be some of {known}, got {sorted(folds)}.")
        return self._only(np.isin(self.fold, sorted(folds)))

    def among(self, known: Collection[str], *, skip: bool = False) -> Pairs:
        """Return the pairs whose images are all there.

        Args:
            known: Names of the images that are there.
            skip: Leave out pairs of which one is not.

        Raises:
            ValueError: If one is not there and pairs are not to be left out, or none is left.
        """
        names = frozenset(known)
        there = np.array([name in names for name in self.images])
        complete = there[self.first] & there[self.second]
        if complete.all():
            return self
        name = self.images[int(np.flatnonzero(~there)[0])]
        if not skip or not complete.any():
            raise ValueError(
                f"{(~complete).sum():,} of {len(complete):,} pairs name an unknown image; the "
                f"first one is {name!r}."
            )
        return self._only(complete)

    def _only(self, kept: np.ndarray) -> Pairs:
        used, places = np.unique([self.first[kept], self.second[kept]], return_inverse=True)
        first, second = places.reshape(2, -1)
        who = self.identities
        return Pairs(
            tuple(self.images[place] for place in used),
            first,
            second,
            self.same[kept],
            self.fold[kept],
            None if who is None else tuple(who[place] for place in used),
        )
