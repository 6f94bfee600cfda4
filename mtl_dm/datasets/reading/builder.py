"""The TFDS builder that all databases share: a subclass says what, this says how."""

from __future__ import annotations

import abc
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import tensorflow_datasets as tfds
from absl import logging

from mtl_dm.datasets._check import Report
from mtl_dm.datasets._features import task_features, task_metadata
from mtl_dm.datasets.reading.checking import check_release
from mtl_dm.datasets.reading.comparison import compare
from mtl_dm.datasets.reading.duplicates import Duplicates
from mtl_dm.datasets.reading.generation import Examples, missing_labels
from mtl_dm.datasets.reading.items import Skipped
from mtl_dm.datasets.reading.release import Release
from mtl_dm.datasets.reading.skips import SkipList
from mtl_dm.datasets.reading.survey import survey
from mtl_dm.datasets.reading.tally import Tally
from mtl_dm.tasks import Task


class ReleaseBuilder(tfds.core.GeneratorBasedBuilder):
    """Builds a data set from a `Release`: labels first, then image by image, memory flat.

    A subclass sets the attributes below and implements `release`; it also sets `VERSION`,
    `RELEASE_NOTES` and `MANUAL_DOWNLOAD_INSTRUCTIONS`, as TFDS wants. The built data set holds
    `skipped.csv`, and in its metadata `rows` (rows and files that the release has), `skipped`
    (rows = built + skipped), `unlabelled_images` (image files without a row) and `labels` (a line a
    task: how often each is there).

    Attributes:
        TASKS: The tasks, each of which becomes a feature.
        DESCRIPTION: What the data set is.
        CITATION: BibTeX.
        LICENSE: Under which terms its owners hand it out.
        IMAGE_SIZE: (width, height) of every image, or None where they differ.
        EXTRA_FEATURES: Further features, such as `identity`; every row must have them.
        ONE_RELEASE: Whether all configurations are made of one release, in which a path is one
            image.
    """

    TASKS: ClassVar[tuple[Task, ...]]
    DESCRIPTION: ClassVar[str]
    CITATION: ClassVar[str]
    LICENSE: ClassVar[str]
    IMAGE_SIZE: ClassVar[tuple[int, int] | None] = None
    EXTRA_FEATURES: ClassVar[Mapping[str, Any]] = {}
    ONE_RELEASE: ClassVar[bool] = True

    # Abstract also so that TFDS does not register this class as a data set.
    @abc.abstractmethod
    def release(self, source: Path) -> Release:
        """Return what is in the source folder; reads as little as it can.

        Raises:
            FileNotFoundError: If the release, or a part of it, is not there; names it.
            ValueError: If it is malformed.
        """

    def check(self, source: Path) -> Report:
        """Return what a look at the source folder finds, for `data_prep.check`.

        Args:
            source: The folder that a build would be given.
        """
        return check_release(source, self.release, self.IMAGE_SIZE)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks of this data set."""
        return self.TASKS

    def _info(self) -> tfds.core.DatasetInfo:
        width, height = self.IMAGE_SIZE or (None, None)
        features = {
            "image": tfds.features.Image(shape=(height, width, 3), encoding_format="jpeg"),
            **task_features(self.tasks),
            "path": tfds.features.Text(),
            **self.EXTRA_FEATURES,
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.DESCRIPTION,
            features=tfds.features.FeaturesDict(features),
            citation=self.CITATION,
            license=self.LICENSE,
            metadata=task_metadata(self.tasks),
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Examples]:
        # Everything that can be wrong with labels is found here, before the first record.
        release = self.release(Path(dl_manager.manual_dir))
        found = survey(release)
        if found.problems:
            raise ValueError("\n".join(found.problems))
        compared = compare(release, found)
        for warning in (*release.warnings, *found.tally.warnings, *compared.warnings):
            logging.warning("%s", warning)
        metadata = self.info.metadata
        metadata["rows"] = sum(found.rows.values())
        metadata["skipped"] = 0
        metadata["unlabelled_images"] = compared.unlabelled
        # While a build runs, data_dir is the temporary folder that becomes the data set.
        skips = SkipList(Path(self.data_dir))

        def skip(item: Skipped) -> None:
            skips.add(item)
            metadata["skipped"] = skips.count

        def counted(tally: Tally) -> None:
            metadata["labels"] = tally.lines

        examples = functools.partial(
            Examples,
            release=release,
            missing=missing_labels(self.tasks),
            size=self.IMAGE_SIZE,
            duplicates=Duplicates(found.repeated),
            skip=skip,
            tally=Tally(self.tasks),
            counted=counted,
        )
        # A split without rows, such as a test set that was not released, is left out.
        return {
            split: examples(split=split, rows=rows) for split, rows in found.rows.items() if rows
        }

    def _generate_examples(self, split: str) -> Any:
        # TFDS wants the method; `Examples` does its work.
        raise NotImplementedError(split)
