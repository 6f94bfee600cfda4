"""Tests of the builder of the drawn clips, and of reading it as a network does."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm import data
from mtl_dm.datasets import SyntheticClips
from mtl_dm.measuring.evaluation import evaluate
from mtl_dm.measuring.sources import source_for
from mtl_dm.models import BACKBONES, MultiTaskModel
from mtl_dm.streams import STREAMS, mask_of
from mtl_dm.synthetic import CLIP_SETS, generate_clips
from tests import built_clips

NAMES = ["image", *STREAMS, *map(mask_of, STREAMS)]
CO_ANNOTATED = "synthetic_clips/co_annotated"
VALIDATION = "synthetic_clips/fully_annotated:validation"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return built_clips.built_clips(tmp_path_factory)


def test_is_what_generate_draws_and_says_what_a_network_sees(folder):
    source = data.load(VALIDATION, data_dir=folder)
    assert int(source.cardinality()) == 6
    paths = data.raw_features(VALIDATION, ["path"], data_dir=folder)["path"].tolist()
    drawn = {entry["path"]: entry for entry in generate_clips(CLIP_SETS[3], 6)}
    for path, (inputs, labels, masks) in zip(paths, source.as_numpy_iterator(), strict=True):
        entry = drawn[path.decode()]
        assert set(inputs) == set(NAMES)
        for name in NAMES[1:]:
            np.testing.assert_array_equal(inputs[name], entry[name])
        lost = np.abs(inputs["image"] - (entry["image"] / 127.5 - 1)).mean()
        assert lost < 8 / 127.5
        assert labels["expression"].argmax() == entry["expression"]
        np.testing.assert_array_equal(labels["action_units"], entry["action_units"])
        assert masks["action_units"].all()


def test_the_image_alone_or_some_streams_on_request(folder):
    some = ("image", "words", mask_of("words"))
    source = data.load(CO_ANNOTATED, data_dir=folder, inputs=some, image_size=24)
    assert {name: spec.shape for name, spec in source.element_spec[0].items()} == {
        "image": (24, 24, 3), "words": (9, 50), "words_mask": (9,),
    }  # fmt: skip


def test_a_checkpoint_of_clips_is_measured_on_them(folder):
    tasks = data.tasks_in(VALIDATION, data_dir=folder)
    shapes = {"image": (16, 16, 3), "words": (9, 50), mask_of("words"): (9,)}
    model = MultiTaskModel(BACKBONES.create("tmif_fea(variant=demo)", shapes), tasks)
    whole = data.load(VALIDATION, data_dir=folder, image_size=16)
    inputs, labels, _ = next(whole.batch(6).as_numpy_iterator())
    inputs = {name: inputs[name] for name in shapes}
    right = np.argmax(model(inputs)["expression"], axis=1) == labels["expression"].argmax(axis=1)
    source = source_for(model, VALIDATION, folder)
    found, _, _ = next(source.batch(6).as_numpy_iterator())
    tf.nest.map_structure(np.testing.assert_array_equal, found, inputs)
    assert evaluate(model, source)["expression"]["accuracy"] == pytest.approx(right.mean())


def test_a_checkpoint_of_single_images_is_measured_on_their_static_frames(folder):
    tasks = data.tasks_in(VALIDATION, data_dir=folder)
    network = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    model = MultiTaskModel(network, tasks)
    model(np.zeros((1, 8, 8, 3)))
    whole = data.load(VALIDATION, data_dir=folder, image_size=8)
    for (image, _, _), (inputs, _, _) in zip(
        source_for(model, VALIDATION, folder), whole, strict=True
    ):
        np.testing.assert_array_equal(image, inputs["image"])


def test_published_configurations():
    counts = {config.name: dict(config.counts) for config in SyntheticClips.BUILDER_CONFIGS}
    assert counts == {
        "expression_only": {"train": 1500},
        "action_units_only": {"train": 3000},
        "co_annotated": {"train": 600},
        "fully_annotated": {"validation": 500, "test": 1500},
    }
