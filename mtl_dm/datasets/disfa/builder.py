"""TFDS builder of DISFA."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import tensorflow_datasets as tfds

from mtl_dm.datasets._check import CHECKERS, Report
from mtl_dm.datasets.disfa._reader import SLIGHT, TASKS, Camera, read, read_either
from mtl_dm.datasets.reading import Release, ReleaseBuilder, check_release


@dataclasses.dataclass(kw_only=True)
class DisfaConfig(tfds.core.BuilderConfig):
    """One camera, and from which intensity on an action unit is active.

    Attributes:
        camera: The camera.
        threshold: The intensity.
    """

    camera: Camera
    threshold: int

    def read(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return read(source, camera=self.camera, threshold=self.threshold)


CAMERAS: tuple[Camera, ...] = ("left", "right")

CONFIGS = [
    DisfaConfig(
        name=f"{camera}{suffix}",
        description=f"The {camera} camera; active from intensity {threshold} on.",
        camera=camera,
        threshold=threshold,
    )
    for threshold, suffix in ((SLIGHT, ""), (1, "_any"))
    for camera in CAMERAS
]


class Disfa(ReleaseBuilder):
    """DISFA: twelve action units of every frame of 27 people watching a video."""

    name = "disfa"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 - a TFDS class attribute
    BUILDER_CONFIGS = CONFIGS
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    Ask the owners for DISFA, unpack all archives and take the frames out of the videos (the README
    of this data set has the command), so that the manual directory holds
    ActionUnit_Labels/SN001/SN001_au1.txt ... and frames/left/SN001/00001.jpg ...
    """

    TASKS = TASKS
    DESCRIPTION = """\
    Frames of 27 people watching a video, each with twelve action units, whose intensities from 0
    to 5 become binary: the configuration says from which one on. No person is in two splits, which
    are made here: the release has none.
    """
    LICENSE = """\
    For research that is not commercial, under an agreement with the owners. This package holds no
    part of the data.
    """
    CITATION = """\
@article{mavadati_disfa2013,
  title = {DISFA: A Spontaneous Facial Action Intensity Database},
  author = {S. M. Mavadati and M. H. Mahoor and K. Bartlett and P. Trinh and J. F. Cohn},
  journal = {IEEE Transactions on Affective Computing},
  volume = {4},
  number = {2},
  pages = {151--160},
  year = {2013},
}
"""

    def release(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return self.builder_config.read(source)


@CHECKERS.register("disfa")
def check(source: Path) -> Report:
    """Report whether a folder holds a usable DISFA."""
    return check_release(source, read_either)


for _config in CONFIGS:
    CHECKERS.register(f"disfa/{_config.name}")(functools.partial(check_release, read=_config.read))
