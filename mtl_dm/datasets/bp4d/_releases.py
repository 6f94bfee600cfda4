"""The two releases, and how they differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Edition(NamedTuple):
    """One of the two.

    Attributes:
        title: Its name.
        people: How many people were published.
        sessions: How many coded sessions.
        highest: Largest number of a woman (F) and of a man (M).
        first_image: Number of the image of frame 1.
    """

    title: str
    people: int
    sessions: int
    highest: Mapping[str, int]
    first_image: int


ORIGINAL = Edition("BP4D", 41, 8 * 41, {"F": 23, "M": 18}, 1)

PLUS = Edition("BP4D+", 140, 4 * 140, {"F": 82, "M": 58}, 0)
"""Of its tasks only T1, T6, T7 and T8 are coded."""
