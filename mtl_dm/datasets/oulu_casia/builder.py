"""TFDS builder of Oulu-CASIA."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import tensorflow_datasets as tfds

from mtl_dm.datasets._check import CHECKERS, Report
from mtl_dm.datasets.oulu_casia._reader import CAMERAS, LIGHTS, TASKS, read, read_either
from mtl_dm.datasets.reading import Release, ReleaseBuilder, check_release


@dataclasses.dataclass(kw_only=True)
class OuluCasiaConfig(tfds.core.BuilderConfig):
    """One camera and one light.

    Attributes:
        camera: visible or infrared.
        light: Strong, Weak or Dark.
    """

    camera: str
    light: str

    def read(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return read(source, camera=self.camera, light=self.light)


CONFIGS = [
    OuluCasiaConfig(
        name=f"{camera}_{light.lower()}",
        description=f"The {camera} camera in {light.lower()} light.",
        camera=camera,
        light=light,
    )
    for camera in CAMERAS
    for light in LIGHTS
]


class OuluCasia(ReleaseBuilder):
    """Oulu-CASIA: the first and last three frames of sequences from neutral to an expression."""

    name = "oulu_casia"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 - a TFDS class attribute
    BUILDER_CONFIGS = CONFIGS
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    Ask the owners for Oulu-CASIA NIR&VIS and unpack its original images, so that the manual
    directory holds OriginalImg/VL/Strong/P001/Anger/000.jpeg ...
    """

    TASKS = TASKS
    DESCRIPTION = """\
    80 people posing six expressions, each sequence from neutral to the height of one: its first
    frame is neutral here, its last three show the expression. Every image has its person. No person
    is in two splits, which are made here: the release has none.
    """
    LICENSE = """\
    For research that is not commercial, under an agreement with the owners. This package holds no
    part of the data.
    """
    CITATION = """\
@article{zhao_oulucasia2011,
  title = {Facial expression recognition from near-infrared videos},
  author = {G. Zhao and X. Huang and M. Taini and S. Z. Li and M. Pietikainen},
  journal = {Image and Vision Computing},
  volume = {29},
  number = {9},
  pages = {607--619},
  year = {2011},
}
"""

    def release(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return self.builder_config.read(source)


@CHECKERS.register("oulu_casia")
def check(source: Path) -> Report:
    """Report whether a folder holds a usable Oulu-CASIA."""
    return check_release(source, read_either)


for _config in CONFIGS:
    CHECKERS.register(f"oulu_casia/{_config.name}")(
        functools.partial(check_release, read=_config.read)
    )
