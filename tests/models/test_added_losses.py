"""Which backbones add losses themselves, and which need not be looked at to know."""

from pathlib import Path

import keras
import pytest

from mtl_dm.models import added_losses
from mtl_dm.models import backbones as package
from mtl_dm.models.backbones import compact_cnn
from tests.models.providers import Raw


def network(layer):
    inputs = keras.Input((3,))
    return keras.Model(inputs, layer(inputs))


def dense(**options):
    return keras.layers.Dense(2, **options)


def adds(backbone):
    return added_losses.adds_losses(backbone, backbone.input)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: dense(activity_regularizer="l2"),
        lambda: network(dense(activity_regularizer="l2")),
        lambda: network(dense(kernel_regularizer="l2")),
        Raw,
        lambda: network(Raw()),
    ],
    ids=["activity", "activity inside", "weights inside", "a user's layer", "a user's inside"],
)
def test_a_loss_is_found_wherever_it_is_added(layer):
    assert adds(network(layer()))


def test_a_layer_of_a_user_that_adds_none_is_looked_at():
    assert not adds(network(Raw(penalty=0.0)))


def test_networks_of_layers_that_add_none_are_not_looked_at(monkeypatch):
    def look(backbone):
        raise AssertionError("looked at")

    monkeypatch.setattr(added_losses, "_Look", look)
    assert not adds(network(dense()))
    assert not adds(compact_cnn((16, 16, 3)))
    with pytest.raises(AssertionError, match="looked at"):
        adds(network(Raw()))


def test_no_backbone_of_ours_adds_a_loss():
    files = list(Path(package.__file__).parent.glob("*.py"))
    assert len(files) > 20
    for file in files:
        assert "add_loss" not in file.read_text(encoding="utf-8"), file.name
