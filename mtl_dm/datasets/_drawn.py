"""The TFDS builder that all sets of drawn faces share: a subclass says what is drawn."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import tensorflow_datasets as tfds

from mtl_dm.datasets._features import task_features, task_metadata
from mtl_dm.datasets._jpeg import jpeg
from mtl_dm.tasks import Task

SEED = 0


class DrawnBuilder(tfds.core.GeneratorBasedBuilder):
    """Builds a data set from a function that draws it: no licence, no download.

    A subclass sets the attributes below and implements `draw`; where it has configurations,
    `side` and `announced` too.

    Attributes:
        TASKS: The tasks, each of which becomes a feature.
        DESCRIPTION: What the data set is.
        COUNTS: Images of each split.
        SIDE: Of every image, in pixels.
        EXTRA_FEATURES: Further features, such as `identity`.
    """

    TASKS: ClassVar[tuple[Task, ...]]
    DESCRIPTION: ClassVar[str]
    COUNTS: ClassVar[Mapping[str, int]]
    SIDE: ClassVar[int]
    EXTRA_FEATURES: ClassVar[Mapping[str, Any]] = {}

    # Abstract also so that TFDS does not register this class as a data set.
    @abc.abstractmethod
    def draw(self, split: str, count: int, side: int, seed: int) -> Iterator[Mapping[str, Any]]:
        """Return the examples of a split: "image" uint8 [side, side, 3], "path", the features."""

    @property
    def announced(self) -> Mapping[str, int]:
        """Images of each split."""
        return self.COUNTS

    @property
    def side(self) -> int:
        """Of every image, in pixels."""
        return self.SIDE

    def _info(self) -> tfds.core.DatasetInfo:
        image = tfds.features.Image(shape=(self.side, self.side, 3), encoding_format="jpeg")
        features = {
            "image": image,
            **task_features(self.TASKS),
            **self.EXTRA_FEATURES,
            "path": tfds.features.Text(),
        }
        return self.dataset_info_from_configs(
            description=self.DESCRIPTION,
            features=tfds.features.FeaturesDict(features),
            metadata=task_metadata(self.TASKS),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        del dl_manager  # nothing to download
        return {split: self._generate_examples(split) for split in self.announced}

    def _generate_examples(self, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for example in self.draw(split, self.announced[split], self.side, SEED):
            yield example["path"], {**example, "image": jpeg(example["image"])}
