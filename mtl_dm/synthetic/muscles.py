"""Action unit intensities as the drawing code asks for them: by number and side."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from mtl_dm.tasks import ACTION_UNITS

NUMBERS = tuple(int(name.removeprefix("AU")) for name in ACTION_UNITS)


@dataclasses.dataclass(frozen=True)
class Muscles:
    """Intensities in [0, 1] keyed by FACS number.

    Attributes:
        middle: What parts on the midline follow.
        left: What the image's left side follows.
        right: What the image's right side follows.
    """

    middle: dict[int, float]
    left: dict[int, float]
    right: dict[int, float]

    def at(self, side: int) -> dict[int, float]:
        """Return the intensities of a side: -1 the image's left, 1 its right."""
        return self.left if side < 0 else self.right


def muscles(intensities: Any, lopsided: float = 0.0) -> Muscles:
    """Return checked intensities by number.

    Args:
        intensities: [17] in [0, 1], in the order of `ACTION_UNITS`.
        lopsided: The right side moves (1 + lopsided) times, the left (1 - lopsided) times.

    Raises:
        ValueError: If the shape is not [17] or a value is NaN or outside [0, 1].
    """
    values = np.asarray(intensities, dtype=np.float64)
    if values.shape != (len(NUMBERS),):
        raise ValueError(f"intensities must have shape ({len(NUMBERS)},), got {values.shape}.")
    wrong = np.flatnonzero(~((values >= 0) & (values <= 1)))  # NaN fails both comparisons
    if len(wrong):
        raise ValueError(
            f"intensities must lie in [0, 1], got {values[wrong[0]]} for {ACTION_UNITS[wrong[0]]}."
        )

    def keyed(factor: float) -> dict[int, float]:
        return dict(zip(NUMBERS, np.minimum(values * factor, 1.0).tolist(), strict=True))

    return Muscles(keyed(1.0), keyed(1.0 - lopsided), keyed(1.0 + lopsided))
