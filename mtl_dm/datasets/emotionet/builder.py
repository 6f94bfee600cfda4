"""TFDS builder of EmotioNet."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import tensorflow_datasets as tfds

from mtl_dm.datasets._check import CHECKERS, Report
from mtl_dm.datasets.emotionet._categories import TASKS as CATEGORY_TASKS
from mtl_dm.datasets.emotionet._categories import read_compound
from mtl_dm.datasets.emotionet._reader import (
    TASKS,
    UNITS_2020,
    read_automatic,
    read_either,
    read_manual,
)
from mtl_dm.datasets.reading import Release, ReleaseBuilder, check_release
from mtl_dm.tasks import Task


@dataclasses.dataclass(kw_only=True)
class EmotioNetConfig(tfds.core.BuilderConfig):
    """One choice of images and labels.

    Attributes:
        read: Reads them.
        tasks: What they are annotated for.
    """

    read: Callable[[Path], Release]
    tasks: tuple[Task, ...] = TASKS


CONFIGS = [
    EmotioNetConfig(
        name="manual",
        description="Manually annotated images, the 11 action units of the 2017 challenge.",
        read=read_manual,
    ),
    EmotioNetConfig(
        name="manual_2020",
        description="Manually annotated images, 14 action units of the 2020 challenge.",
        read=functools.partial(read_manual, units=UNITS_2020),
    ),
    EmotioNetConfig(
        name="automatic",
        description="Automatically annotated images, the 11 action units of the 2017 challenge.",
        read=read_automatic,
    ),
    EmotioNetConfig(
        name="compound",
        description="Images of six basic and ten compound expressions.",
        read=read_compound,
        tasks=CATEGORY_TASKS,
    ),
]


class EmotioNet(ReleaseBuilder):
    """EmotioNet: facial action units, or basic and compound expressions."""

    name = "emotionet"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 - a TFDS class attribute
    BUILDER_CONFIGS = CONFIGS
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    Ask the owners for EmotioNet, whose images you download from the URLs that they give. The
    manual directory holds EmotioNet_FACS*.csv (or .xlsx, which needs openpyxl), for the
    automatically annotated images dataFile_*.txt, for basic and compound expressions
    URLsWithEmotionCat*.csv (or .xlsx, decrypted), and the images anywhere below it, under the last
    part of their URL (N_0000000001_00001.jpg) in one folder, or in a folder N_0000000001/ each.
    """

    DESCRIPTION = """\
    Images of faces found by web search, annotated for facial action units by hand (24,600 images)
    or by a program (about 950,000). One split, `train`, of which an experiment draws its parts.
    Action units that are not annotated are missing; a row without any is skipped and listed. A
    further set shows one of six basic or of ten compound expressions.
    """
    LICENSE = """\
    For research that is not commercial, under an agreement with the owners. This package holds no
    part of the data.
    """
    CITATION = """\
@inproceedings{fabian_emotionet2016,
  title = {EmotioNet: An accurate, real-time algorithm for the automatic annotation of a million
    facial expressions in the wild},
  author = {C. Fabian Benitez-Quiroz and R. Srinivasan and A. M. Martinez},
  booktitle = {Proc. CVPR},
  year = {2016},
}
"""

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks of this data set."""
        return self.builder_config.tasks

    def release(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return self.builder_config.read(source)


@CHECKERS.register("emotionet")
def check(source: Path) -> Report:
    """Report whether a folder holds a usable EmotioNet."""
    return check_release(source, read_either)


for _config in CONFIGS:
    CHECKERS.register(f"emotionet/{_config.name}")(
        functools.partial(check_release, read=_config.read)
    )
