"""TFDS builder of the synthetic faces."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from mtl_dm.datasets._drawn import DrawnBuilder
from mtl_dm.synthetic import face_sets
from mtl_dm.synthetic.face_sets import FACE_SETS, IMAGE_SIZES, SET_NAMES, generate, labelled_tasks

_DESCRIPTION = """
Drawn faces whose 17 facial action units each move their own part of the face, given the
expression roughly as Table 1 of Kollias, Sharmanska and Zafeiriou (AAAI 2024) says. No licence,
no download. `expression_only` has expressions, `action_units_only` the 11 action units of
EmotioNet, `co_annotated` and `fully_annotated` everything; all are disjoint in identity. Every
configuration exists at 112 px and, with the suffix `_64px`, at 64 px: the same faces, smaller.
"""


@dataclasses.dataclass(kw_only=True)
class SyntheticFacesConfig(tfds.core.BuilderConfig):
    """One set at one size.

    Attributes:
        face_set: Name of the set, one of `SET_NAMES`.
        image_size: Pixels along a side.
        counts: Number of images by split.
    """

    face_set: str
    image_size: int
    counts: Mapping[str, int]


def _configs() -> list[SyntheticFacesConfig]:
    return [
        SyntheticFacesConfig(
            name=name if size == IMAGE_SIZES[0] else f"{name}_{size}px",
            description=f"The set {name} at {size} px.",
            face_set=name,
            image_size=size,
            counts={entry.split: entry.count for entry in FACE_SETS if entry.name == name},
        )
        for size in IMAGE_SIZES
        for name in SET_NAMES
    ]


class SyntheticFaces(DrawnBuilder):
    """Synthetic faces; see `mtl_dm.synthetic`."""

    name = "synthetic_faces"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First version."}
    BUILDER_CONFIGS: ClassVar[list[SyntheticFacesConfig]] = _configs()
    TASKS, DESCRIPTION = face_sets.TASKS, _DESCRIPTION
    EXTRA_FEATURES: ClassVar[Mapping[str, Any]] = {"identity": tfds.features.Scalar(dtype=np.int64)}

    @property
    def labelled(self) -> tuple[str, ...]:
        """Names of the tasks that any face of the set is annotated for."""
        return labelled_tasks(self.builder_config.face_set)

    @property
    def announced(self) -> Mapping[str, int]:
        """Faces of each split."""
        return self.builder_config.counts

    @property
    def side(self) -> int:
        """Of every image, in pixels."""
        return int(self.builder_config.image_size)

    def draw(self, split: str, count: int, side: int, seed: int) -> Iterator[Mapping[str, Any]]:
        """Return the examples of a split."""
        return generate(self.builder_config.face_set, split, count, side, seed)
