"""Frozen features of clothing: a row an image, by number."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from experiments import clothing_features
from experiments.problems.clothing_data import FEATURES
from mtl_dm.files import read_array
from tests.datasets.fakes.clothing_attributes import ROWS, write_cad


@pytest.fixture
def source(tmp_path):
    write_cad(tmp_path)
    return tmp_path


def test_a_row_is_what_the_network_has_of_an_image(source, monkeypatch, capsys):
    asked = []
    mean = keras.layers.GlobalAveragePooling2D()
    made = {"mobilenet_v2": lambda *given, **options: asked.append((given, options)) or mean}
    monkeypatch.setattr(clothing_features, "BACKBONES", made)
    assert clothing_features.main([f"--source={source}", "--weights=mine.h5"]) == 0
    assert asked == [(((224, 224, 3),), {"weights": "mine.h5"})]
    found = read_array(source / FEATURES)
    assert found.shape == (ROWS, 3)
    assert found.dtype == np.float16
    path = source / clothing_features.IMAGES / "000002.jpg"
    image = tf.image.resize(tf.io.decode_jpeg(tf.io.read_file(str(path))), (224, 224)).numpy()
    np.testing.assert_allclose(found[1], image.mean(axis=(0, 1)) / 127.5 - 1, atol=5e-3)
    assert "The features of 4 images are in" in capsys.readouterr().out


@pytest.mark.parametrize("missing", ["000002.jpg", None])
def test_every_number_must_be_there(source, missing, capsys):
    for path in (source / clothing_features.IMAGES).iterdir():
        if missing in (None, path.name):
            path.unlink()
    assert clothing_features.main([f"--source={source}"]) == 1
    assert f"need the image {source / clothing_features.IMAGES / (missing or '000001.jpg')}" in (
        capsys.readouterr().err
    )


def test_a_folder_that_cannot_be_written_is_told_before_the_network_is_made(
    source, monkeypatch, capsys
):
    monkeypatch.setattr(clothing_features, "BACKBONES", None)
    (source / FEATURES).parent.write_text("a file")
    assert clothing_features.main([f"--source={source}"]) == 1
    assert "features cannot be written: " in capsys.readouterr().err
