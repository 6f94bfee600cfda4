"""TFDS builder of CK+."""

from __future__ import annotations

from pathlib import Path

import tensorflow_datasets as tfds

from mtl_dm.datasets.ck_plus._reader import TASKS, read
from mtl_dm.datasets.reading import Release, ReleaseBuilder


class CkPlus(ReleaseBuilder):
    """CK+: the first and the last three frames of sequences from neutral to an expression."""

    name = "ck_plus"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 - a TFDS class attribute
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    Ask the owners for CK+ and unpack extended-cohn-kanade-images.zip and Emotion_labels.zip, so
    that the manual directory holds cohn-kanade-images/S005/001/S005_001_00000001.png ... and
    Emotion/S005/001/S005_001_00000011_emotion.txt ...
    """

    TASKS = TASKS
    DESCRIPTION = """\
    People posing expressions, each sequence from neutral to the height of one: its first frame is
    neutral here, its last three show the expression, seven basic ones and contempt. Every image has
    its person. No person is in two splits, which are made here: the release has none.
    """
    LICENSE = """\
    For research that is not commercial, under an agreement with the owners. This package holds no
    part of the data.
    """
    CITATION = """\
@inproceedings{lucey_ckplus2010,
  title = {The Extended Cohn-Kanade Dataset (CK+): A complete dataset for action unit and
    emotion-specified expression},
  author = {P. Lucey and J. F. Cohn and T. Kanade and J. Saragih and Z. Ambadar and I. Matthews},
  booktitle = {CVPR Workshops},
  year = {2010},
}
"""

    def release(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return read(source)
