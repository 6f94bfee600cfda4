"""TFDS builder of BP4D and BP4D+."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import tensorflow_datasets as tfds

from mtl_dm.datasets._check import CHECKERS, Report
from mtl_dm.datasets.bp4d._reader import TASKS, read, read_either
from mtl_dm.datasets.bp4d._releases import ORIGINAL, PLUS, Edition
from mtl_dm.datasets.reading import Release, ReleaseBuilder, check_release


@dataclasses.dataclass(kw_only=True)
class Bp4dConfig(tfds.core.BuilderConfig):
    """One of the two releases.

    Attributes:
        edition: Which.
    """

    edition: Edition

    def read(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return read(source, edition=self.edition)


CONFIGS = [
    Bp4dConfig(name="original", description="BP4D, 41 people.", edition=ORIGINAL),
    Bp4dConfig(name="plus", description="BP4D+, 140 people.", edition=PLUS),
]


class Bp4d(ReleaseBuilder):
    """BP4D and BP4D+: action units of people at tasks that move them."""

    name = "bp4d"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 - a TFDS class attribute
    BUILDER_CONFIGS = CONFIGS
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    Ask the owners for BP4D or BP4D+ and unpack all archives, so that the manual directory holds
    AUCoding/AU_OCC/F001_T1.csv ... and 2D+3D/F001/T1/ ... with the frames.
    """

    TASKS = TASKS
    ONE_RELEASE = False  # F001 is somebody else in BP4D+.
    DESCRIPTION = """\
    Frames of people at tasks that move them, filmed in a laboratory, each with the action units
    that experts coded. No person is in two splits.
    """
    LICENSE = """\
    For research that is not commercial, under an agreement with the owners. This package holds no
    part of the data.
    """
    CITATION = """\
@article{zhang_bp4d2014,
  title = {BP4D-Spontaneous: A high resolution spontaneous 3D dynamic facial expression database},
  author = {X. Zhang and L. Yin and J. F. Cohn and S. Canavan and M. Reale and A. Horowitz and
    P. Liu and J. M. Girard},
  journal = {Image and Vision Computing},
  volume = {32},
  number = {10},
  pages = {692--706},
  year = {2014},
}
@inproceedings{zhang_bp4dplus2016,
  title = {Multimodal Spontaneous Emotion Corpus for Human Behavior Analysis},
  author = {Z. Zhang and J. M. Girard and Y. Wu and X. Zhang and P. Liu and U. Ciftci and
    S. Canavan and M. Reale and A. Horowitz and H. Yang and J. F. Cohn and Q. Ji and L. Yin},
  booktitle = {Proc. CVPR},
  year = {2016},
}
"""

    def release(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return self.builder_config.read(source)


@CHECKERS.register("bp4d")
def check(source: Path) -> Report:
    """Report whether a folder holds a usable BP4D or BP4D+."""
    return check_release(source, read_either)


for _config in CONFIGS:
    CHECKERS.register(f"bp4d/{_config.name}")(functools.partial(check_release, read=_config.read))
