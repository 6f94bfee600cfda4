"""From the trained model to the file: the same network, half the bytes."""

import io
import zipfile

import h5py
import keras
import numpy as np
import pytest

from experiments.pretraining import shipping
from experiments.pretraining.half_precision import WEIGHTS, halve
from experiments.problems.real_faces_data import CROP, SIDE
from mtl_dm.measuring.scoring import load_model
from mtl_dm.models.backbones.aligned_grey import AlignedGrey, crop_of

RNG = np.random.default_rng(0)


def test_the_part_that_is_seen_is_that_of_the_study():
    assert crop_of(112) == CROP
    with pytest.raises(ValueError, match="multiple of 28, got 100"):
        crop_of(100)


def test_what_is_framed_is_cut_out_again_pixel_for_pixel():
    images = RNG.integers(0, 256, (3, SIDE, SIDE))
    framed = shipping.framed(images)
    assert framed.shape == (3, 112, 112, 3)
    seen = np.asarray(AlignedGrey()(shipping.scaled(framed)))
    assert seen.shape == AlignedGrey().compute_output_shape(framed.shape) == (3, SIDE, SIDE, 1)
    np.testing.assert_allclose(seen[..., 0], shipping.scaled(images), atol=1e-6)


def test_a_colour_and_its_luminance_are_seen_alike():
    colours = RNG.integers(0, 256, (1, 56, 56, 3)).astype(np.float32)
    grey = colours @ np.array([0.299, 0.587, 0.114], np.float32)
    want = grey[:, 8:56, 4:52].reshape(1, 24, 2, 24, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(AlignedGrey()(colours)[..., 0], want, rtol=1e-5)


def test_the_file_predicts_as_the_model_does(trained, file):
    images = RNG.integers(0, 256, (4, SIDE, SIDE))
    given = trained(shipping.scaled(images)[..., None], training=False)
    found = load_model(file)(shipping.scaled(shipping.framed(images)), training=False)
    for name, logits in given.items():
        assert np.ptp(logits) > 0.1
        np.testing.assert_allclose(found[name], logits, atol=0.02)


def test_another_network_is_not_shipped(trained):
    def other(images, training):
        return {task.name: np.full((len(images), task.size), 9.0) for task in trained.tasks}

    with pytest.raises(ValueError, match="logits of expression differ by"):
        shipping._require_equal(trained, other)


def test_kernels_are_half_and_vectors_are_whole(file):
    with zipfile.ZipFile(file) as archive:
        content = io.BytesIO(archive.read(WEIGHTS))
    types = set()
    with h5py.File(content, "r") as weights:
        weights.visititems(
            lambda name, item: (
                types.add((len(item.shape) > 1, str(item.dtype)))
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
    assert {(True, "float16"), (False, "float32")} <= types
    assert (True, "float32") not in types


def test_the_same_file_becomes_the_same_bytes(file, tmp_path):
    paths = [tmp_path / "one.keras", tmp_path / "other.keras"]
    for path in paths:
        path.write_bytes(file.read_bytes())
        halve(path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_weight_that_float16_cannot_hold(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.layers[0].kernel.assign([[1e5], [0.0]])
    model.save(tmp_path / "model.keras")
    before = (tmp_path / "model.keras").read_bytes()
    with pytest.raises(ValueError, match="too large for float16"):
        halve(tmp_path / "model.keras")
    assert (tmp_path / "model.keras").read_bytes() == before
