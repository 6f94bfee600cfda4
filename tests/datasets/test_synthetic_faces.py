"""Tests of the builder of the synthetic faces."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

from mtl_dm.datasets import tasks_of
from mtl_dm.datasets.synthetic_faces import SyntheticFaces, SyntheticFacesConfig
from mtl_dm.synthetic import generate
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS


def build(folder, face_set, **counts):
    config = SyntheticFacesConfig(
        name=f"tiny_{face_set}", face_set=face_set, image_size=48, counts=counts
    )
    builder = SyntheticFaces(config=config, data_dir=folder)
    builder.download_and_prepare()
    return builder


def read(builder, split):
    examples = tfds.as_numpy(builder.as_dataset(split=split))
    return {entry["path"].decode(): entry for entry in examples}


@pytest.fixture(scope="module")
def partial(tmp_path_factory):
    return build(tmp_path_factory.mktemp("partial"), "action_units_only", train=12)


def test_reads_back_with_types(partial):
    entries = read(partial, "train")
    assert len(entries) == 12
    for entry in entries.values():
        assert entry["image"].shape == (48, 48, 3)
        assert entry["image"].dtype == np.uint8
        assert entry["expression"].dtype == np.int64
        assert entry["action_units"].dtype == np.int8
        assert entry["valence_arousal"].dtype == np.float32
        assert entry["attributes"].dtype == np.int8
        assert entry["identity"].dtype == np.int64


def test_is_what_generate_draws(partial):
    entries = read(partial, "train")
    for drawn in generate("action_units_only", "train", 12, 48):
        entry = entries[drawn["path"]]
        assert entry["expression"] == drawn["expression"] == -1
        assert entry["identity"] == drawn["identity"]
        for key in ("action_units", "valence_arousal", "attributes"):
            np.testing.assert_array_equal(entry[key], drawn[key])
        # JPEG loses a little; a wrong channel order would lose a lot.
        lost = np.abs(entry["image"].astype(float) - drawn["image"]).mean()
        assert lost < 8
        swapped = np.abs(entry["image"].astype(float) - drawn["image"][..., ::-1]).mean()
        assert lost < swapped


def test_says_its_tasks(partial):
    tasks = {task.name: task for task in tasks_of(partial.info)}
    assert set(tasks) == {"expression", "action_units", "valence_arousal", "attributes"}
    assert tasks["expression"].labels == EXPRESSIONS
    assert tasks["action_units"].labels == ACTION_UNITS
    assert tasks["expression"].kind == "multiclass"


def test_splits_are_disjoint(tmp_path):
    builder = build(tmp_path, "fully_annotated", validation=6, test=7)
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == {
        "validation": 6,
        "test": 7,
    }
    people = {
        split: {int(entry["identity"]) for entry in read(builder, split).values()}
        for split in ("validation", "test")
    }
    assert not people["validation"] & people["test"]


def test_published_configurations():
    counts = {config.name: dict(config.counts) for config in SyntheticFaces.BUILDER_CONFIGS}
    plain = {
        "expression_only": {"train": 2000},
        "action_units_only": {"train": 8000},
        "co_annotated": {"train": 2000},
        "fully_annotated": {"validation": 1000, "test": 2000},
    }
    assert counts == plain | {f"{name}_64px": value for name, value in plain.items()}
    sizes = {config.name: config.image_size for config in SyntheticFaces.BUILDER_CONFIGS}
    assert sizes["co_annotated"] == 112
    assert sizes["co_annotated_64px"] == 64


def test_is_found_by_name(tmp_path):
    builder = tfds.builder("synthetic_faces/co_annotated_64px", data_dir=tmp_path)
    assert builder.info.features["image"].shape == (64, 64, 3)


def test_unknown_configuration(tmp_path):
    with pytest.raises(ValueError, match="no_such_set"):
        tfds.builder("synthetic_faces/no_such_set", data_dir=tmp_path)


def test_unknown_set(tmp_path):
    with pytest.raises(ValueError, match="Unknown face set 'nobody'"):
        build(tmp_path, "nobody", train=1)
