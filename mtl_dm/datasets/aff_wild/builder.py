"""TFDS builder of Aff-Wild."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import tensorflow_datasets as tfds

from mtl_dm.datasets._check import CHECKERS, Report
from mtl_dm.datasets.aff_wild._reader import TASKS, read, read_either
from mtl_dm.datasets.reading import Release, ReleaseBuilder, check_release


@dataclasses.dataclass(kw_only=True)
class AffWildConfig(tfds.core.BuilderConfig):
    """One choice of images.

    Attributes:
        faces: Whether frames are cropped to the annotated face.
    """

    faces: bool

    def read(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return read(source, faces=self.faces)


CONFIGS = [
    AffWildConfig(name="faces", description="Cropped to the annotated face.", faces=True),
    AffWildConfig(name="frames", description="Whole frames.", faces=False),
]


class AffWild(ReleaseBuilder):
    """Aff-Wild: valence and arousal of every frame of videos of people."""

    name = "aff_wild"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 - a TFDS class attribute
    BUILDER_CONFIGS = CONFIGS
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    Ask the owners for Aff-Wild, unpack all archives and take the frames out of the videos (the
    README of this data set has the command), so that the manual directory holds
    annotations/train/valence/105.txt ..., annotations/train/arousal/105.txt ...,
    frames/train/105/00001.jpg ..., and, to crop to the faces, bboxes/train/105/1.pts ...
    """

    TASKS = TASKS
    DESCRIPTION = """\
    Frames of videos of people, each with valence and arousal. The owners keep the annotations of
    the test videos; `train`, `validation` and `test` are made here from the others, and no video
    is in two of them.
    """
    LICENSE = """\
    For academic research, by agreement with its owners; cite the papers. This package holds no
    part of the data.
    """
    CITATION = """\
@article{kollias_affwild2019,
  title = {Deep Affect Prediction in-the-wild: Aff-Wild Database and Challenge, Deep Architectures,
    and Beyond},
  author = {D. Kollias and P. Tzirakis and M. A. Nicolaou and A. Papaioannou and G. Zhao and
    B. Schuller and I. Kotsia and S. Zafeiriou},
  journal = {International Journal of Computer Vision},
  year = {2019},
}
"""

    def release(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return self.builder_config.read(source)


@CHECKERS.register("aff_wild")
def check(source: Path) -> Report:
    """Report whether a folder holds a usable Aff-Wild."""
    return check_release(source, read_either)


for _config in CONFIGS:
    CHECKERS.register(f"aff_wild/{_config.name}")(
        functools.partial(check_release, read=_config.read)
    )
