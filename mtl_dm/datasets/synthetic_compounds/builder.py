"""TFDS builder of the drawn faces with compound expressions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import tensorflow_datasets as tfds

from mtl_dm.datasets._drawn import DrawnBuilder
from mtl_dm.synthetic import compounds
from mtl_dm.synthetic.face_sets import IMAGE_SIZES

_DESCRIPTION = f"""
Drawn faces with {len(compounds.COMPOUNDS)} compound expressions, those of RAF-DB, whose action
units follow EmotioNet's table roughly. Nothing is to be trained on them but a classifier on a few
examples, of the split `support`; people are in no other set. No licence, no download.
"""


@dataclasses.dataclass(kw_only=True)
class SyntheticCompoundsConfig(tfds.core.BuilderConfig):
    """One size.

    Attributes:
        image_size: Pixels along a side.
    """

    image_size: int


class SyntheticCompounds(DrawnBuilder):
    """Drawn compound expressions; see `mtl_dm.synthetic.compounds`."""

    name = "synthetic_compounds"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First version."}
    BUILDER_CONFIGS: ClassVar[list[SyntheticCompoundsConfig]] = [
        SyntheticCompoundsConfig(name=f"{size}px", image_size=size) for size in IMAGE_SIZES
    ]
    TASKS, DESCRIPTION, COUNTS = compounds.TASKS, _DESCRIPTION, compounds.COUNTS

    @property
    def side(self) -> int:
        """Of every image, in pixels."""
        return int(self.builder_config.image_size)

    def draw(self, split: str, count: int, side: int, seed: int) -> Iterator[Mapping[str, Any]]:
        """Return the examples of a split."""
        return compounds.generate_compounds(split, count, side, seed)
