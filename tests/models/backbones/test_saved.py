"""A file stands where the name of a backbone does: all its weights, checked against the images."""

import keras
import numpy as np
import pytest

from mtl_dm.models import BACKBONES
from mtl_dm.training.config import TrainConfig
from tests import saved_models

SHAPE = (16, 16, 3)


@pytest.fixture(scope="module")
def student(tmp_path_factory):
    model = BACKBONES.create("resnet18_narrow(width=2, projection=3, blocks=1)", SHAPE)
    model.trainable = False
    path = tmp_path_factory.mktemp("student") / "student.keras"
    model.save(path)
    return path, model


def test_a_network_comes_back_and_can_be_trained(student):
    path, model = student
    found = BACKBONES.create(str(path), SHAPE)
    images = np.random.default_rng(0).uniform(-1, 1, (2, *SHAPE)).astype(np.float32)
    np.testing.assert_array_equal(found(images), model(images))
    assert found.trainable_variables and not model.trainable_variables
    assert str(BACKBONES.spec(str(path))) == str(path)


def test_of_a_checkpoint_its_backbone(tmp_path):
    saved_models.save(tmp_path)
    found = BACKBONES.create(str(tmp_path / "best.keras"), SHAPE)
    assert found.output_shape == (None, 8)


def test_a_configuration_keeps_the_path(student):
    fields = {"datasets": ("synthetic_faces/expression_only_64px",), "tasks": ("expression",)}
    assert TrainConfig(**fields, backbone=str(student[0])).backbone == str(student[0])


def test_what_is_no_backbone(student, tmp_path):
    path = str(student[0])
    with pytest.raises(FileNotFoundError, match=r"No backbone at nothing\.keras"):
        BACKBONES.create("nothing.keras", SHAPE)
    with pytest.raises(ValueError, match=r"takes the input_shape \(16, 16, 3\).*--image_size"):
        BACKBONES.create(path, (32, 32, 3))
    maps = keras.Sequential([keras.Input(SHAPE), keras.layers.Conv2D(2, 3)])
    maps.save(tmp_path / "maps.keras")
    with pytest.raises(ValueError, match=r"must give features \[B, D\], it gives \(None, 14"):
        BACKBONES.create(str(tmp_path / "maps.keras"), SHAPE)
    (tmp_path / "text.keras").write_text("text", encoding="utf-8")
    with pytest.raises(ValueError, match="cannot be read"):
        BACKBONES.create(str(tmp_path / "text.keras"), SHAPE)


@pytest.mark.parametrize("option", ["width=0", "projection=0", "blocks=0"])
def test_the_narrow_resnet_needs_widths(option):
    with pytest.raises(ValueError, match=f"a {option.split('=')[0]} of at least 1, got 0"):
        BACKBONES.create(f"resnet18_narrow({option})", SHAPE)
