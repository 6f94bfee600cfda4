"""The drawn clips under their real names, built with a few clips each."""

import dataclasses

import pytest
import tensorflow_datasets as tfds

from mtl_dm.datasets import SyntheticClips

COUNTS = {
    "expression_only": {"train": 8},
    "action_units_only": {"train": 12},
    "co_annotated": {"train": 80},
    "fully_annotated": {"validation": 6, "test": 7},
}

_built = {}


def built_clips(tmp_path_factory):
    """Return the folder of the built data; several conftests share one build."""
    session = tmp_path_factory.getbasetemp()
    if session not in _built:
        folder = tmp_path_factory.mktemp("built_clips")
        small = [
            dataclasses.replace(config, counts=COUNTS[config.clip_set])
            for config in SyntheticClips.BUILDER_CONFIGS
        ]
        with pytest.MonkeyPatch.context() as patch:
            # TFDS remembers this dictionary for the whole process once anybody asked for it.
            patch.setattr(SyntheticClips, "builder_configs", {each.name: each for each in small})
            for config in small:
                SyntheticClips(config=config.name, data_dir=folder).download_and_prepare(
                    download_config=tfds.download.DownloadConfig(try_download_gcs=False)
                )
        _built[session] = folder
    return _built[session]
