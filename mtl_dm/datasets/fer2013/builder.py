"""TFDS builder of FER2013."""

from __future__ import annotations

from pathlib import Path

import tensorflow_datasets as tfds

from mtl_dm.datasets.fer2013._reader import IMAGE_SIZE, TASKS, read
from mtl_dm.datasets.reading import Release, ReleaseBuilder


class Fer2013(ReleaseBuilder):
    """FER2013: 48 x 48 grey faces, seven expressions."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 - a TFDS class attribute
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    Get FER2013 (ICML 2013 challenge in representation learning) as folders of images, so that
    the manual directory holds Training/angry/*.jpg ..., PublicTest/angry/*.jpg ... and, where
    you have it, PrivateTest/angry/*.jpg ... (or a folder fer2013/ with these).
    """

    TASKS = TASKS
    IMAGE_SIZE = IMAGE_SIZE
    DESCRIPTION = """\
    35,887 faces found by web search, 48 x 48 pixels, grey, one of seven expressions each. The
    labels are noisy: people agree with them in about 65% of the cases. Training is `train`,
    PublicTest `validation` and PrivateTest `test`; a split whose folder is not there is left out.
    """
    LICENSE = "For research; cite the paper. This package holds no part of the data."
    CITATION = """\
@inproceedings{goodfellow_iconip2013,
  title = {Challenges in Representation Learning: A report on three machine learning contests},
  author = {I. J. Goodfellow and D. Erhan and P. L. Carrier and A. Courville and others},
  booktitle = {Proc. ICONIP},
  year = {2013},
}
"""

    def release(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return read(source)
