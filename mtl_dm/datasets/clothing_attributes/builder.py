"""TFDS builder of the Clothing Attribute Dataset."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from absl import logging

from mtl_dm.datasets._features import task_features, task_metadata
from mtl_dm.datasets.clothing_attributes._images import Skipped, image_path, readable_images
from mtl_dm.datasets.clothing_attributes._labels import Labels, locate, read_labels
from mtl_dm.datasets.clothing_attributes._schema import FOLDER, TASKS

SKIPPED_FILE = "skipped.csv"

_DESCRIPTION = """\
1,856 photographs of people, each with a clothing category (7) and clothing attributes, voted by
six raters; a label on which they did not agree is missing. The 23 binary attributes are followed
by sleeve length (3) and neckline (3), one against the rest: 29 in all. `index` is the row in the
label files (image number - 1).
"""

_LICENSE = "Released for research; cite the paper. This package holds no part of the data."

_CITATION = """\
@inproceedings{chen_eccv2012,
  title = {Describing Clothing by Semantic Attributes},
  author = {H. Chen and A. Gallagher and B. Girod},
  booktitle = {Proc. ECCV},
  year = {2012},
}
"""


class ClothingAttributes(tfds.core.GeneratorBasedBuilder):
    """The Clothing Attribute Dataset: one split, of which an experiment draws its folds."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 - a TFDS class attribute
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"""\
    Get the Clothing Attribute Dataset from its authors (Chen, Gallagher and Girod, ECCV 2012) and
    unpack it, so that the manual directory holds
    {FOLDER}/images/000001.jpg ... and {FOLDER}/labels/black_GT.mat ...
    (the manual directory may also be that folder itself).
    """

    @classmethod
    def expected_bytes(cls, source: Path) -> int:
        """Return about how many bytes the built data set has: the images are copied as they are.

        Raises:
            FileNotFoundError: If the data set is not at `source`.
        """
        return sum(path.stat().st_size for path in (locate(source) / "images").glob("*.jpg"))

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "image": tfds.features.Image(shape=(None, None, 3), encoding_format="jpeg"),
            **task_features(TASKS),
            "path": tfds.features.Text(),
            "index": tfds.features.Scalar(dtype=np.int64),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict(features),
            citation=_CITATION,
            license=_LICENSE,
            metadata=task_metadata(TASKS),
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[str, dict[str, Any]]]]:
        # Everything that can be wrong is found here, before the first record is written.
        folder = locate(Path(dl_manager.manual_dir))
        labels = read_labels(folder)
        usable, skipped = readable_images(folder, len(labels.category))
        self._report(skipped)
        # TFDS reserves the name "all" for the sum of the splits: split="all" reads this one too.
        return {"train": self._generate_examples(folder, labels, usable)}

    def _report(self, skipped: Sequence[Skipped]) -> None:
        """Warn of skipped images and record them with the data set: a count and a list."""
        for path, reason in skipped:
            logging.warning("Skipped %s: %s", path, reason)
        if skipped:
            logging.warning("Skipped %d image(s), listed in %s", len(skipped), SKIPPED_FILE)
        self.info.metadata["skipped"] = len(skipped)
        table = io.StringIO()
        csv.writer(table, lineterminator="\n").writerows([Skipped._fields, *skipped])
        # While a build runs, data_dir is the temporary folder that becomes the data set: a crash
        # leaves no half file there either.
        (Path(self.data_dir) / SKIPPED_FILE).write_text(table.getvalue(), encoding="utf-8")

    def _generate_examples(
        self, folder: Path, labels: Labels, usable: Sequence[int]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        for index in usable:
            path = image_path(index)
            yield (
                path,
                {
                    # As bytes: TFDS copies a JPEG untouched and encodes arrays only.
                    "image": (folder / path).read_bytes(),
                    "category": int(labels.category[index]),
                    "attributes": labels.attributes[index],
                    "path": path,
                    "index": index,
                },
            )
