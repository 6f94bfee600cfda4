"""What every builder keeps to; a new entry of BUILDERS is tested by being there."""

import numpy as np
import pytest

from mtl_dm import datasets
from mtl_dm.datasets._check import CHECKERS


@pytest.fixture(params=datasets.names())
def builder(request, tmp_path):
    return datasets.make_builder(request.param, tmp_path)


def test_says_which_tasks_it_has_and_has_a_feature_for_each(builder):
    features = builder.info.features
    for task in datasets.tasks_of(builder.info):
        feature = features[task.name]
        if task.kind == "multiclass":
            assert tuple(feature.names) == task.labels
        else:
            assert feature.shape == (task.size,)
            dtype = np.int8 if task.kind == "multilabel" else np.float32
            assert feature.np_dtype == dtype


def test_has_images_and_the_path_of_each(builder):
    assert builder.info.features["image"].shape[-1] == 3
    assert builder.info.features["path"].np_dtype in (object, np.str_, str)


def test_describes_itself_and_its_releases(builder):
    assert builder.info.description.strip()
    assert str(builder.version) in builder.RELEASE_NOTES


def test_what_must_be_downloaded_has_instructions_a_citation_and_a_check(builder):
    if builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
        assert builder.info.citation
        assert builder.name in CHECKERS


def test_unbuilt_data_have_no_splits(builder):
    assert not builder.info.splits
