"""TFDS builder of ABAW4 LSD."""

from __future__ import annotations

from pathlib import Path

import tensorflow_datasets as tfds

from mtl_dm.datasets.abaw4_lsd._reader import TASKS, read
from mtl_dm.datasets.reading import Release, ReleaseBuilder


class Abaw4Lsd(ReleaseBuilder):
    """ABAW4 LSD: synthetic faces for training, real ones for validation; six expressions."""

    name = "abaw4_lsd"
    VERSION = tfds.core.Version("2.0.0")
    RELEASE_NOTES = {  # noqa: RUF012 - a TFDS class attribute
        "1.0.0": "First release.",
        "2.0.0": "The task has the six expressions that occur, without neutral.",
    }
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    Ask the organisers of the fourth ABAW competition for the data of the challenge "learning from
    synthetic data" and unpack them, so that the manual directory holds
    training_set_synthetic_images/ANGRER/*.jpg (spelt so; ANGER is as good), .../DISGUST/*.jpg ...
    and validation_set_real_images/ with the same folders.
    """

    TASKS = TASKS
    DESCRIPTION = """\
    Synthetic faces (`train`), made from frames of Aff-Wild2, and real ones (`validation`), one of
    six expressions each; there is no neutral face. Together with a data set of all seven
    expressions it counts as one that has no neutral face. The test images come without labels and
    are not read.
    """
    LICENSE = """\
    For research that is not commercial, under an agreement with the organisers. This package holds
    no part of the data.
    """
    CITATION = """\
@inproceedings{kollias_abaw2022,
  title = {ABAW: Learning from Synthetic Data \\& Multi-Task Learning Challenges},
  author = {D. Kollias},
  booktitle = {Proc. ECCV Workshops},
  year = {2022},
}
"""

    def release(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return read(source)
