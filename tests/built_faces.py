"""The synthetic faces under their real names, built with a few images each."""

import dataclasses

import pytest
import tensorflow_datasets as tfds

from mtl_dm.datasets import SyntheticFaces

COUNTS = {
    "expression_only": {"train": 48},
    "action_units_only": {"train": 64},
    "co_annotated": {"train": 80},
    "fully_annotated": {"validation": 12, "test": 20},
}
EXPRESSIONS_ONLY = "synthetic_faces/expression_only_64px"
UNITS_ONLY = "synthetic_faces/action_units_only_64px"
CO_ANNOTATED = "synthetic_faces/co_annotated_64px"
ANNOTATED = "synthetic_faces/fully_annotated_64px"

_built = {}


def built_faces(tmp_path_factory):
    """Return the folder of the built data; several conftests share one build."""
    session = tmp_path_factory.getbasetemp()
    if session not in _built:
        folder = tmp_path_factory.mktemp("built_faces")
        small = [
            dataclasses.replace(config, counts=COUNTS[config.face_set])
            for config in SyntheticFaces.BUILDER_CONFIGS
            if config.image_size == 64
        ]
        with pytest.MonkeyPatch.context() as patch:
            # TFDS remembers this dictionary for the whole process once anybody asked for it.
            patch.setattr(SyntheticFaces, "builder_configs", {each.name: each for each in small})
            for config in small:
                SyntheticFaces(config=config.name, data_dir=folder).download_and_prepare(
                    download_config=tfds.download.DownloadConfig(try_download_gcs=False)
                )
        _built[session] = folder
    return _built[session]
