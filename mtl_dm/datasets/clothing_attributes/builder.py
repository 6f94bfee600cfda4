"""TFDS builder of the Clothing Attribute Dataset."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from mtl_dm.datasets.clothing_attributes._images import check_no_extra_images, image_path
from mtl_dm.datasets.clothing_attributes._labels import Labels, locate, read_labels
from mtl_dm.datasets.clothing_attributes._schema import FOLDER, IMAGES, TASKS
from mtl_dm.datasets.reading import Release, ReleaseBuilder, Row

_DESCRIPTION = """\
1,856 photographs of people, each with a clothing category (7) and clothing attributes, voted by
six raters; a label on which they did not agree is missing. The 23 binary attributes are followed
by sleeve length (3) and neckline (3), one against the rest: 29 in all. `index` is the row in the
label files (image number - 1).
"""

_CITATION = """\
@inproceedings{chen_eccv2012,
  title = {Describing Clothing by Semantic Attributes},
  author = {H. Chen and A. Gallagher and B. Girod},
  booktitle = {Proc. ECCV},
  year = {2012},
}
"""


class ClothingAttributes(ReleaseBuilder):
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
        images = (locate(source) / "images").glob("*.jpg")
        # A link that leads nowhere is skipped, as by the build.
        return sum(path.stat().st_size for path in images if path.is_file())

    TASKS = TASKS
    EXTRA_FEATURES = {"index": tfds.features.Scalar(dtype=np.int64)}  # noqa: RUF012 - a constant
    DESCRIPTION = _DESCRIPTION
    CITATION = _CITATION
    LICENSE = "Released for research; cite the paper. This package holds no part of the data."

    def release(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return read(source)


def read(source: Path) -> Release:
    """Return the release; see `ReleaseBuilder.release`.

    Raises:
        FileNotFoundError: If the folder, label files or the image folder are missing.
        ValueError: If a label file is malformed or there are images beyond the rows.
    """
    folder = locate(source)
    labels = read_labels(folder)
    count = len(labels.category)
    check_no_extra_images(folder, count)
    return Release(
        folder,
        # TFDS reserves the name "all" for the sum of the splits: split="all" reads this one too.
        {"train": functools.partial(_rows, labels)},
        listed=("images",),
        published={"train": IMAGES},
        tasks=TASKS,
    )


def _rows(labels: Labels) -> Iterator[Row]:
    for index in range(len(labels.category)):
        values = {
            "category": int(labels.category[index]),
            "attributes": labels.attributes[index],
            "index": index,
        }
        yield Row(image_path(index), values, f"row {index + 1}")
