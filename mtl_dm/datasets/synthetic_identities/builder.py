"""TFDS builder of the drawn people for face verification under expressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import tensorflow_datasets as tfds

from mtl_dm.datasets._features import task_features, task_metadata
from mtl_dm.datasets._jpeg import jpeg
from mtl_dm.synthetic.identities import COUNTS, PEOPLE, SIDE, TASKS, generate_identities

SEED = 0

_DESCRIPTION = f"""
Drawn faces of {PEOPLE} people, nobody in two splits, each image with its person and its expression:
what face verification under expressions needs. No licence, no download.
"""


class SyntheticIdentities(tfds.core.GeneratorBasedBuilder):
    """Drawn people; see `mtl_dm.synthetic.identities`."""

    name = "synthetic_identities"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First version."}
    COUNTS: ClassVar[Mapping[str, int]] = COUNTS

    @property
    def announced(self) -> Mapping[str, int]:
        """Faces of each split."""
        return self.COUNTS

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(SIDE, SIDE, 3), encoding_format="jpeg"),
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
        for example in generate_identities(split, self.COUNTS[split], SIDE, SEED):
            yield example["path"], {**example, "image": jpeg(example["image"])}
