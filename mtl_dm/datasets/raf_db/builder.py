"""TFDS builder of RAF-DB."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import tensorflow_datasets as tfds

from mtl_dm.datasets._check import CHECKERS, Report
from mtl_dm.datasets.raf_db._reader import BASIC, COMPOUND, Images, Subset, read, read_either
from mtl_dm.datasets.reading import Release, ReleaseBuilder, check_release
from mtl_dm.tasks import Task


@dataclasses.dataclass(kw_only=True)
class RafDbConfig(tfds.core.BuilderConfig):
    """One half of the release, with one kind of images.

    Attributes:
        subset: Which half.
        images: Which images.
    """

    subset: Subset
    images: Images

    def read(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return read(source, subset=self.subset, images=self.images)


CONFIGS = [
    RafDbConfig(
        name=subset.folder if images == "aligned" else f"{subset.folder}_{images}",
        description=f"The {subset.folder} expressions, {images} images.",
        subset=subset,
        images=images,
    )
    for subset in (BASIC, COMPOUND)
    for images in ("aligned", "original")
]


class RafDb(ReleaseBuilder):
    """RAF-DB: seven basic or eleven compound expressions."""

    name = "raf_db"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 - a TFDS class attribute
    BUILDER_CONFIGS = CONFIGS
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    Ask the owners for RAF-DB and unpack all archives, so that the manual directory holds
    basic/EmoLabel/list_patition_label.txt (spelt so) and basic/Image/aligned/ or
    basic/Image/original/; for compound expressions the same under compound/.
    """

    DESCRIPTION = """\
    Faces found by web search, each labelled by about 40 people. The basic subset has one of seven
    expressions, the compound one of eleven mixtures of two.
    """
    LICENSE = """\
    For research that is not commercial, under an agreement with the owners. This package holds no
    part of the data.
    """
    CITATION = """\
@article{li_rafdb2019,
  title = {Reliable Crowdsourcing and Deep Locality-Preserving Learning for Unconstrained Facial
    Expression Recognition},
  author = {S. Li and W. Deng},
  journal = {IEEE Transactions on Image Processing},
  volume = {28},
  number = {1},
  pages = {356--370},
  year = {2019},
}
"""

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks of this data set."""
        return (self.builder_config.subset.task,)

    def release(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return self.builder_config.read(source)


@CHECKERS.register("raf_db")
def check(source: Path) -> Report:
    """Report whether a folder holds a usable RAF-DB."""
    return check_release(source, read_either)


for _config in CONFIGS:
    CHECKERS.register(f"raf_db/{_config.name}")(functools.partial(check_release, read=_config.read))
