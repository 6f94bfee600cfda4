"""TFDS builder of the shoes of SADD."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from mtl_dm.datasets._check import CHECKERS, Report
from mtl_dm.datasets.reading import SPLIT_FILE, Release, ReleaseBuilder, check_release, save_split
from mtl_dm.datasets.shoes_sadd._binarise import RULES
from mtl_dm.datasets.shoes_sadd._reader import FILE, TASKS, assignments, read


@dataclasses.dataclass(kw_only=True)
class ShoesSaddConfig(tfds.core.BuilderConfig):
    """A way to make the relative attributes binary; its name is that of the rule."""


class ShoesSadd(ReleaseBuilder):
    """Shoes (SADD): ten types of women's shoes, ten attributes, made binary by a rule."""

    name = "shoes_sadd"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 - a TFDS class attribute
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"""\
    Get the shoe images of the Attribute Discovery Dataset (Berg, Berg and Shih, ECCV 2010) and
    {FILE} of WhittleSearch (Kovashka, Parikh and Grauman, CVPR 2012), so that the manual
    directory holds womens_athletic_shoes/0/img_womens_athletic_shoes_1.jpg ... for ten types, and
    {FILE} there or in a folder there.
    """
    BUILDER_CONFIGS = [  # noqa: RUF012 - a TFDS class attribute
        ShoesSaddConfig(name=rule, description=f"Attributes {how}.") for rule, how in RULES.items()
    ]

    TASKS = TASKS
    DESCRIPTION = f"""\
    About 15,000 photographs of women's shoes from shops: one of ten types, and ten attributes,
    which the release gives as ranks of the types and as comparisons of images. The configuration
    says by which rule they become binary. The split, about 7.4K for training and 7.3K for
    testing, is drawn with a fixed seed and saved as {SPLIT_FILE}; that of the paper was not
    published.
    """
    LICENSE = (
        "For research; the images belong to the shops; cite both papers. This package holds no "
        "part of the data."
    )
    CITATION = """\
@inproceedings{berg_eccv2010,
  title = {Automatic Attribute Discovery and Characterization from Noisy Web Data},
  author = {T. L. Berg and A. C. Berg and J. Shih},
  booktitle = {Proc. ECCV},
  year = {2010},
}
@inproceedings{kovashka_cvpr2012,
  title = {WhittleSearch: Image Search with Relative Attribute Feedback},
  author = {A. Kovashka and D. Parikh and K. Grauman},
  booktitle = {Proc. CVPR},
  year = {2012},
}
"""

    def release(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return read(source, self.builder_config.name)

    def _split_generators(self, dl_manager: Any) -> Any:
        splits = super()._split_generators(dl_manager)
        save_split(Path(self.data_dir), assignments(Path(dl_manager.manual_dir)).items())
        return splits


@CHECKERS.register("shoes_sadd")
def check(source: Path) -> Report:
    """Report whether a folder holds the usable shoes of SADD; attributes by the default rule."""
    return check_release(source, read)
