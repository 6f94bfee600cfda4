"""TFDS builder of Aff-Wild2."""

from __future__ import annotations

from pathlib import Path

import tensorflow_datasets as tfds

from mtl_dm.datasets.aff_wild2._reader import read
from mtl_dm.datasets.aff_wild2._schema import IMAGE_SIZE, TASKS
from mtl_dm.datasets.reading import Release, ReleaseBuilder


class AffWild2(ReleaseBuilder):
    """Aff-Wild2: face crops of video frames, annotated for up to three tasks."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 - a TFDS class attribute
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    Ask the owners of Aff-Wild2 for the annotations and the cropped and aligned frames, so that
    the manual directory holds VA_Estimation_Challenge/, EXPR_Recognition_Challenge/ (or
    EXPR_Classification_Challenge/) and AU_Detection_Challenge/, each with Train_Set/ and
    Validation_Set/ (any of the three may be absent), or for s-Aff-Wild2
    training_set_annotations.txt and validation_set_annotations.txt; beside them
    cropped_aligned/<video>/00001.jpg ...
    """

    TASKS = TASKS
    IMAGE_SIZE = IMAGE_SIZE
    DESCRIPTION = """\
    Frames of videos of people, 112 x 112 pixels, each with any of: one of seven expressions,
    action units, valence and arousal. The labels of all challenges are joined frame by frame.
    A frame whose expression is "Other" keeps its further labels; its expression is missing.
    """
    LICENSE = (
        "For academic research, by agreement with its owners; cite the papers. This package "
        "holds no part of the data."
    )
    CITATION = """\
@article{kollias_affwild2,
  title = {Aff-Wild2: Extending the Aff-Wild Database for Affect Recognition},
  author = {D. Kollias and S. Zafeiriou},
  journal = {arXiv preprint arXiv:1811.07770},
  year = {2018},
}
@inproceedings{kollias_bmvc2019,
  title = {Expression, Affect, Action Unit Recognition: Aff-Wild2, Multi-Task Learning and
    ArcFace},
  author = {D. Kollias and S. Zafeiriou},
  booktitle = {Proc. BMVC},
  year = {2019},
}
"""

    def release(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return read(source)
