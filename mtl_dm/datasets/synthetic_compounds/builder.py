"""TFDS builder of the drawn faces with compound expressions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import tensorflow_datasets as tfds

from mtl_dm.datasets._features import task_features, task_metadata
from mtl_dm.datasets._jpeg import jpeg
from mtl_dm.synthetic.compounds import COMPOUNDS, COUNTS, TASKS, generate_compounds
from mtl_dm.synthetic.face_sets import IMAGE_SIZES

SEED = 0

_DESCRIPTION = f"""
Drawn faces with {len(COMPOUNDS)} compound expressions, those of RAF-DB, whose action units follow
EmotioNet's table roughly. Nothing is to be trained on them but a classifier on a few examples, of
the split `support`; people are in no other set. No licence, no download.
"""


@dataclasses.dataclass(kw_only=True)
class SyntheticCompoundsConfig(tfds.core.BuilderConfig):
    """One size.

    Attributes:
        image_size: Pixels along a side.
    """

    image_size: int


class SyntheticCompounds(tfds.core.GeneratorBasedBuilder):
    """Drawn compound expressions; see `mtl_dm.synthetic.compounds`."""

    name = "synthetic_compounds"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First version."}
    BUILDER_CONFIGS: ClassVar[list[SyntheticCompoundsConfig]] = [
        SyntheticCompoundsConfig(name=f"{size}px", image_size=size) for size in IMAGE_SIZES
    ]
    COUNTS: ClassVar[Mapping[str, int]] = COUNTS

    @property
    def announced(self) -> Mapping[str, int]:
        """Faces of each split."""
        return self.COUNTS

    def _info(self) -> tfds.core.DatasetInfo:
        size = self.builder_config.image_size
        return self.dataset_info_from_configs(
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(size, size, 3), encoding_format="jpeg"),
                    **task_features(TASKS),
                    "path": tfds.features.Text(),
                }
            ),
            metadata=task_metadata(TASKS),
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[str, dict[str, Any]]]]:
        del dl_manager  # nothing to download
        return {split: self._generate_examples(split) for split in self.COUNTS}

    def _generate_examples(self, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
        size = self.builder_config.image_size
        for example in generate_compounds(split, self.COUNTS[split], size, SEED):
            yield example["path"], {**example, "image": jpeg(example["image"])}
