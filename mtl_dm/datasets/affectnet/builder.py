"""TFDS builder of AffectNet."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import tensorflow_datasets as tfds

from mtl_dm.datasets._check import CHECKERS, Report
from mtl_dm.datasets.affectnet._labels import TASKS
from mtl_dm.datasets.affectnet._reader import read, read_automatic, read_either
from mtl_dm.datasets.reading import Release, ReleaseBuilder, check_release


@dataclasses.dataclass(kw_only=True)
class AffectNetConfig(tfds.core.BuilderConfig):
    """One choice of images.

    Attributes:
        read: Reads them.
    """

    read: Callable[[Path], Release]


CONFIGS = [
    AffectNetConfig(name="manual", description="Manually annotated images, whole.", read=read),
    AffectNetConfig(
        name="manual_faces",
        description="Manually annotated images of the 2017 release, cropped to the face box.",
        read=functools.partial(read, faces=True),
    ),
    AffectNetConfig(
        name="automatic",
        description="Automatically annotated images of the 2017 release, whole.",
        read=read_automatic,
    ),
    AffectNetConfig(
        name="automatic_faces",
        description="Automatically annotated images of the 2017 release, cropped to the face box.",
        read=functools.partial(read_automatic, faces=True),
    ),
]


class AffectNet(ReleaseBuilder):
    """AffectNet: seven expressions, valence and arousal; the releases of 2017 and of 2021."""

    name = "affectnet"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 - a TFDS class attribute
    BUILDER_CONFIGS = CONFIGS
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    Ask the owners for AffectNet and unpack all archives. Release of 2017: the manual directory
    holds Manually_Annotated_file_lists/training.csv and validation.csv, and
    Manually_Annotated_Images/ (each may be inside a folder Manually_Annotated/). Release of 2021:
    it holds train_set/ and val_set/, each with images/ and annotations/.
    """

    TASKS = TASKS
    DESCRIPTION = """\
    Faces found by web search in six languages; an expression, valence and arousal for each. Rows
    with another expression than the seven basic ones (contempt, none, uncertain, non-face) are
    skipped and listed.
    """
    LICENSE = """\
    For research that is not commercial, under an agreement with the owners. This package holds no
    part of the data.
    """
    CITATION = """\
@article{mollahosseini_affectnet2019,
  title = {AffectNet: A Database for Facial Expression, Valence, and Arousal Computing in the Wild},
  author = {A. Mollahosseini and B. Hasani and M. H. Mahoor},
  journal = {IEEE Transactions on Affective Computing},
  volume = {10},
  number = {1},
  pages = {18--31},
  year = {2019},
}
"""

    def release(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return self.builder_config.read(source)


@CHECKERS.register("affectnet")
def check(source: Path) -> Report:
    """Report whether a folder holds a usable AffectNet."""
    return check_release(source, read_either)


for _config in CONFIGS:
    CHECKERS.register(f"affectnet/{_config.name}")(
        functools.partial(check_release, read=_config.read)
    )
