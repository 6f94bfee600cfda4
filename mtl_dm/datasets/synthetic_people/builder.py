"""TFDS builder of the drawn people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import tensorflow_datasets as tfds

from mtl_dm.datasets._drawn import DrawnBuilder
from mtl_dm.synthetic import people

_DESCRIPTION = f"""
Drawn faces of {people.PEOPLE} people, each in every split, with seven attributes of the person and
three of the image: identities and attributes in the role of CelebA's. No licence, no download.
"""


class SyntheticPeople(DrawnBuilder):
    """Drawn people; see `mtl_dm.synthetic.people`."""

    name = "synthetic_people"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First version."}
    TASKS, DESCRIPTION = people.TASKS, _DESCRIPTION
    COUNTS, SIDE = people.COUNTS, people.SIDE

    def draw(self, split: str, count: int, side: int, seed: int) -> Iterator[Mapping[str, Any]]:
        """Return the examples of a split."""
        return people.generate_people(split, count, side, seed)
