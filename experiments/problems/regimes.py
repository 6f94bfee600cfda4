"""Regimes of annotation: which images keep which labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

CLASS_SHARES = {
    "halves, disjoint": 0.5,
    "10% of classes": 0.1,
    "25% of classes": 0.25,
    "10% of attributes": 0.9,
}
"""Share of the images that keep their class alone; the others keep their attributes alone."""

ALL = "all labels"


class Annotated(NamedTuple):
    """Rows that keep their class, rows that keep their attributes."""

    classes: np.ndarray
    attributes: np.ndarray


def annotated(rows: Sequence[int], regime: str, seed: Sequence[int]) -> Annotated:
    """Return which of `rows` keep which labels, drawn from `seed`.

    Raises:
        ValueError: If the regime is unknown.
    """
    if regime == ALL:
        return Annotated(np.sort(np.asarray(rows)), np.sort(np.asarray(rows)))
    if regime not in CLASS_SHARES:
        raise ValueError(f"Unknown regime {regime!r}. Known: {[ALL, *CLASS_SHARES]}.")
    return divided(rows, CLASS_SHARES[regime], seed)


def divided(rows: Sequence[int], share: float, seed: Sequence[int]) -> Annotated:
    """Return `rows` divided: a share keeps its class alone, the others their attributes alone.

    With the same seed what a smaller share keeps is among what a larger one keeps.

    Args:
        rows: To divide.
        share: Of the rows that keep their class.
        seed: Draws them.
    """
    shuffled = np.random.default_rng(list(seed)).permutation(np.asarray(rows))
    count = round(share * len(shuffled))
    return Annotated(np.sort(shuffled[:count]), np.sort(shuffled[count:]))
