"""Encoders trained on drawn faces: made once, found again, and of what they are asked."""

import keras
import numpy as np
import pytest

from mtl_dm.encoders import ENCODERS, drawn, encoders_of
from mtl_dm.encoders.drawn import KNOWLEDGE, LAYER, SIDE, WIDTH, Recipe, drawn_encoder
from tests import eagerly


@pytest.fixture(autouse=True, scope="module")
def eager():
    with eagerly.steps():
        yield


@pytest.fixture
def small(monkeypatch):
    """A network that is quickly traced."""

    def network(outputs):
        images = keras.Input((SIDE, SIDE, 3))
        x = keras.layers.Flatten()(keras.layers.AveragePooling2D(16)(images))
        x = keras.layers.Dense(WIDTH, name=LAYER)(x)
        return keras.Model(images, keras.layers.Dense(outputs)(x))

    monkeypatch.setattr(drawn, "_network", network)


def test_an_encoder_is_trained_once(small, tmp_path, monkeypatch, capsys):
    text = f'drawn_action_units(folder="{tmp_path}", images=64, epochs=1)'
    (first,) = encoders_of(text)
    assert "Training the drawn encoder" in capsys.readouterr().out
    assert first.name == "drawn_action_units" and first.side == SIDE
    assert first(np.zeros((2, SIDE, SIDE, 3), np.float32)).shape == (2, WIDTH)
    monkeypatch.setattr(drawn, "trained", None)
    (again,) = encoders_of(text)
    assert again.fingerprint == first.fingerprint
    assert [path.name for path in tmp_path.iterdir()] == ["action_units-64x1-seed0-r1.keras"]


def test_an_encoder_whose_training_broke_is_not_kept(small, tmp_path, monkeypatch):
    monkeypatch.setattr(drawn, "_RATE", np.inf)
    with pytest.raises(ValueError, match="The drawn encoder has weights that are NaN or infinite"):
        drawn_encoder("action_units", tmp_path, Recipe(images=64, epochs=1))
    assert list(tmp_path.iterdir()) == []


def test_every_kind_has_labels_and_an_encoder():
    for name, knowledge in KNOWLEDGE.items():
        images, labels = drawn._drawn(knowledge, Recipe(images=64))
        assert images.shape == (64, SIDE, SIDE, 3) and images.dtype == np.uint8
        assert len(labels) == 64 and labels.min() >= 0 and (labels.ndim == 1) == knowledge.classes
        assert f"drawn_{name}" in ENCODERS


def test_what_cannot_be_trained(tmp_path):
    with pytest.raises(ValueError, match=r"Unknown drawn encoder 'age'\. Known: expression"):
        drawn_encoder("age", tmp_path)
    with pytest.raises(ValueError, match=r"at least 64 images, 1 epoch .* got images=9, epochs=8"):
        Recipe(images=9)
