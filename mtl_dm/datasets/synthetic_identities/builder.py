"""TFDS builder of the drawn people for face verification under expressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import tensorflow_datasets as tfds

from mtl_dm.datasets._drawn import DrawnBuilder
from mtl_dm.synthetic import identities

_DESCRIPTION = f"""
Drawn faces of {identities.PEOPLE} people, nobody in two splits, each image with its person and its
expression: what face verification under expressions needs. No licence, no download.
"""


class SyntheticIdentities(DrawnBuilder):
    """Drawn people; see `mtl_dm.synthetic.identities`."""

    name = "synthetic_identities"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First version."}
    TASKS, DESCRIPTION = identities.TASKS, _DESCRIPTION
    COUNTS, SIDE = identities.COUNTS, identities.SIDE

    def draw(self, split: str, count: int, side: int, seed: int) -> Iterator[Mapping[str, Any]]:
        """Return the examples of a split."""
        return identities.generate_identities(split, count, side, seed)
