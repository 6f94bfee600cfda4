"""TFDS builder of CelebA with identities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from mtl_dm.datasets.celeb_a_identity._reader import TASKS, assignments, read
from mtl_dm.datasets.reading import SPLIT_FILE, Release, ReleaseBuilder, save_split


class CelebAIdentity(ReleaseBuilder):
    """CelebA: 10,177 identities and 40 attributes, in a split that shares the identities."""

    name = "celeb_a_identity"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 - a TFDS class attribute
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    Get CelebA (aligned and cropped images, list_attr_celeba.txt) from its owners, and
    identity_CelebA.txt, which they hand out on request, so that the manual directory holds
    Anno/list_attr_celeba.txt, Anno/identity_CelebA.txt and Img/img_align_celeba/000001.jpg ...
    (or the two files and img_align_celeba/ without the folders Anno and Img).
    """

    TASKS = TASKS
    DESCRIPTION = f"""\
    202,599 faces of 10,177 people, each with 40 binary attributes. The splits share the people:
    every identity with three or more images is in all of them, as in Kollias et al. 2024, whose
    own split was not published; this one is drawn with a fixed seed and saved as {SPLIT_FILE}.
    It is not the official split (Eval/list_eval_partition.txt), whose identities are disjoint.
    """
    LICENSE = (
        "For non-commercial research, by the terms of its owners; cite the paper. This package "
        "holds no part of the data."
    )
    CITATION = """\
@inproceedings{liu_iccv2015,
  title = {Deep Learning Face Attributes in the Wild},
  author = {Z. Liu and P. Luo and X. Wang and X. Tang},
  booktitle = {Proc. ICCV},
  year = {2015},
}
"""

    def release(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return read(source)

    def _split_generators(self, dl_manager: Any) -> Any:
        splits = super()._split_generators(dl_manager)
        save_split(Path(self.data_dir), assignments(Path(dl_manager.manual_dir)))
        return splits
