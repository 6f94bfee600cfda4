"""TFDS builder of AFEW-VA."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import tensorflow_datasets as tfds

from mtl_dm.datasets._check import CHECKERS, Report
from mtl_dm.datasets.afew_va._reader import TASKS, read
from mtl_dm.datasets.reading import Release, ReleaseBuilder, check_release


@dataclasses.dataclass(kw_only=True)
class AfewVaConfig(tfds.core.BuilderConfig):
    """One choice of images.

    Attributes:
        faces: Whether frames are cropped to the annotated face.
    """

    faces: bool

    def read(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return read(source, faces=self.faces)


CONFIGS = [
    AfewVaConfig(name="faces", description="Cropped to the annotated face.", faces=True),
    AfewVaConfig(name="frames", description="Whole frames.", faces=False),
]


class AfewVa(ReleaseBuilder):
    """AFEW-VA: valence and arousal of every frame of 600 clips from films."""

    name = "afew_va"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 - a TFDS class attribute
    BUILDER_CONFIGS = CONFIGS
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    Ask the owners for AFEW-VA and unpack all archives, so that the manual directory holds a folder
    a clip, 001/ to 600/ (these may be inside folders 01/ to 12/), each with its frames 00000.png,
    ... and its annotations 001.json.
    """

    TASKS = TASKS
    DESCRIPTION = """\
    Frames of 600 clips from films, each with valence and arousal of one person, a tenth of the
    whole numbers from -10 to 10 that the release has. No actor is in two splits, which are made
    here: the release has none.
    """
    LICENSE = """\
    For research that is not commercial, under an agreement with the owners. This package holds no
    part of the data.
    """
    CITATION = """\
@article{kossaifi_afewva2017,
  title = {AFEW-VA database for valence and arousal estimation in-the-wild},
  author = {J. Kossaifi and G. Tzimiropoulos and S. Todorovic and M. Pantic},
  journal = {Image and Vision Computing},
  volume = {65},
  pages = {23--36},
  year = {2017},
}
"""

    def release(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return self.builder_config.read(source)


@CHECKERS.register("afew_va")
def check(source: Path) -> Report:
    """Report whether a folder holds a usable AFEW-VA."""
    return check_release(source, read)


for _config in CONFIGS:
    CHECKERS.register(f"afew_va/{_config.name}")(
        functools.partial(check_release, read=_config.read)
    )
