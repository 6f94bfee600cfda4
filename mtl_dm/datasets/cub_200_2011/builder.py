"""TFDS builder of CUB-200-2011."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from mtl_dm.datasets.cub_200_2011._names import ATTRIBUTES
from mtl_dm.datasets.cub_200_2011._reader import TASKS, read
from mtl_dm.datasets.reading import Release, ReleaseBuilder


class Cub2002011(ReleaseBuilder):
    """CUB-200-2011: birds cropped to their boxes, 200 species, 312 attributes."""

    name = "cub_200_2011"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 - a TFDS class attribute
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    Get CUB_200_2011.tgz from its authors (Caltech) and unpack it, so that the manual directory
    holds CUB_200_2011/images.txt, CUB_200_2011/images/, CUB_200_2011/attributes/ ... and
    attributes.txt (the manual directory may also be the folder CUB_200_2011 itself).
    """

    TASKS = TASKS
    EXTRA_FEATURES = {  # noqa: RUF012 - a constant
        "certainty": tfds.features.Tensor(shape=(len(ATTRIBUTES),), dtype=np.int8)
    }
    DESCRIPTION = """\
    11,788 photographs of birds, cropped to the bounding box, with the species (200) and 312
    attributes, in the official split. `certainty` is how sure the rater was of each attribute: 1
    not visible, 2 guessing, 3 probably, 4 definitely (0: no label). An attribute that is not
    visible is missing.
    """
    LICENSE = (
        "For non-commercial research and education; the owners of the photographs keep their "
        "rights. This package holds no part of the data."
    )
    CITATION = """\
@techreport{wah_cub2011,
  title = {The Caltech-UCSD Birds-200-2011 Dataset},
  author = {C. Wah and S. Branson and P. Welinder and P. Perona and S. Belongie},
  institution = {California Institute of Technology},
  number = {CNS-TR-2011-001},
  year = {2011},
}
"""

    def release(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return read(source)
