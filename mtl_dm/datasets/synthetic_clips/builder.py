"""TFDS builder of the drawn clips."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from mtl_dm.datasets._features import task_features, task_metadata
from mtl_dm.datasets._jpeg import jpeg
from mtl_dm.streams import STREAMS, mask_of
from mtl_dm.synthetic import (
    CLIP_LENGTH,
    CLIP_SETS,
    CLIP_SIZE,
    SET_NAMES,
    TASKS,
    generate_clips,
)
from mtl_dm.synthetic.face_sets import labelled_tasks

SEED = 0

_DESCRIPTION = """
Clips of drawn faces that go from neutral to an apex, the centre, and back: the image of the apex
with its labels, and for each frame four streams that stand for coefficients of a face model, an
embedding, sound and words, with masks of the frames that have them. No licence, no download. The
same people and labels as the first images of the sets of `synthetic_faces`, in the same splits.
"""


@dataclasses.dataclass(kw_only=True)
class SyntheticClipsConfig(tfds.core.BuilderConfig):
    """One set.

    Attributes:
        clip_set: Name of the set.
        counts: Number of clips by split.
    """

    clip_set: str
    counts: Mapping[str, int]


def _configs() -> list[SyntheticClipsConfig]:
    return [
        SyntheticClipsConfig(
            name=name,
            description=f"The set {name}.",
            clip_set=name,
            counts={entry.split: entry.count for entry in CLIP_SETS if entry.name == name},
        )
        for name in SET_NAMES
    ]


def _stream_features() -> dict[str, Any]:
    values = {
        name: tfds.features.Tensor(shape=(CLIP_LENGTH, size), dtype=np.float32)
        for name, size in STREAMS.items()
    }
    mask = tfds.features.Tensor(shape=(CLIP_LENGTH,), dtype=np.float32)
    return {**values, **{mask_of(name): mask for name in STREAMS}}


class SyntheticClips(tfds.core.GeneratorBasedBuilder):
    """Drawn clips; see `mtl_dm.synthetic`."""

    name = "synthetic_clips"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First version."}
    BUILDER_CONFIGS: ClassVar[list[SyntheticClipsConfig]] = _configs()

    @property
    def labelled(self) -> tuple[str, ...]:
        """Names of the tasks that any clip of the set is annotated for."""
        return labelled_tasks(self.builder_config.clip_set)

    @property
    def announced(self) -> Mapping[str, int]:
        """Clips of each split."""
        return self.builder_config.counts

    def _info(self) -> tfds.core.DatasetInfo:
        streams = _stream_features()
        return self.dataset_info_from_configs(
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(
                        shape=(CLIP_SIZE, CLIP_SIZE, 3), encoding_format="jpeg"
                    ),
                    **streams,
                    **task_features(TASKS),
                    "identity": tfds.features.Scalar(dtype=np.int64),
                    "path": tfds.features.Text(),
                }
            ),
            metadata=task_metadata(TASKS, inputs=["image", *streams]),
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[str, dict[str, Any]]]]:
        del dl_manager  # nothing to download
        return {split: self._generate_examples(split) for split in self.builder_config.counts}

    def _generate_examples(self, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
        config = self.builder_config
        chosen = next(
            entry for entry in CLIP_SETS if (entry.name, entry.split) == (config.clip_set, split)
        )
        for example in generate_clips(chosen, config.counts[split], CLIP_SIZE, SEED):
            yield example["path"], {**example, "image": jpeg(example["image"])}
