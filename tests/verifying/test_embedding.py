"""What is taken for an embedding."""

import keras
import numpy as np
import pytest

from mtl_dm.models import MultiTaskModel
from mtl_dm.tasks import Task
from mtl_dm.verifying.embedding import embed, image_side, network_of

SIDE = 8
IMAGES = np.random.default_rng(0).uniform(-1, 1, (3, SIDE, SIDE, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def model():
    """Two branches on a map."""
    inputs = keras.Input((SIDE, SIDE, 3))
    shared = keras.layers.Conv2D(4, 3, name="map")(inputs)
    flat = keras.layers.GlobalAveragePooling2D(name="pool")(shared)
    branches = {name: keras.layers.Dense(5, name=name)(flat) for name in ("expression", "identity")}
    tasks = [Task.multiclass(name, ["a", "b"]) for name in branches]
    built = MultiTaskModel(keras.Model(inputs, branches), tasks)
    built(IMAGES)
    return built


def test_of_branches_the_one_of_the_identity_unless_said(model):
    expected = {name: np.asarray(each) for name, each in model.backbone(IMAGES).items()}
    np.testing.assert_allclose(network_of(model)(IMAGES), expected["identity"])
    np.testing.assert_allclose(network_of(model, task="expression")(IMAGES), expected["expression"])


def test_a_map_is_averaged(model):
    pooled = network_of(model, layer="pool")(IMAGES)
    assert pooled.shape == (3, 4)
    np.testing.assert_allclose(network_of(model, layer="map")(IMAGES), pooled, atol=1e-6)


def test_an_embedding_is_the_mean_of_a_name_whatever_the_batches(model):
    network = network_of(model)
    seen = list(zip(["a", "b", "a"], IMAGES, strict=True))
    expected = network(IMAGES)
    for size in (1, 2, 7):
        found = embed(network, seen, size)
        np.testing.assert_allclose(found["b"], expected[1], atol=1e-6)
        np.testing.assert_allclose(found["a"], (expected[0] + expected[2]) / 2, atol=1e-6)
    assert image_side(model) == SIDE


def test_what_gives_no_embedding(model):
    with pytest.raises(ValueError, match=r"has no layer 'fc'. Known: .*map, pool"):
        network_of(model, layer="fc")
    with pytest.raises(ValueError, match=r"has no task 'age'. Known: expression, identity"):
        network_of(model, task="age")
    tasks = [Task.multiclass(name, ["a", "b"]) for name in ("one", "other")]
    apart = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    other = MultiTaskModel(apart, tasks)
    other(np.zeros((1, 4), np.float32))
    with pytest.raises(ValueError, match="must take square colour images"):
        image_side(other)
    network = network_of(model)
    model.extract, kept = lambda *_, **__: ({"one": 1.0, "other": 2.0}, {}), model.extract
    try:
        with pytest.raises(ValueError, match="The tasks one, other have features of their own"):
            network(IMAGES)
    finally:
        model.extract = kept


def test_a_layer_that_is_used_twice_or_inside_another_one():
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name="inside")])
    inputs = keras.Input((SIDE, SIDE, 3))
    pooled = keras.layers.Dense(4)(keras.layers.GlobalAveragePooling2D()(inputs))
    once = keras.layers.Dense(4, name="twice")
    backbone = keras.Model(inputs, once(once(inner(pooled))))
    built = MultiTaskModel(backbone, [Task.multiclass("identity", ["a", "b"])])
    built(IMAGES)
    expected = inner(backbone.layers[2](IMAGES.mean(axis=(1, 2))))
    np.testing.assert_allclose(network_of(built, "inside")(IMAGES), expected, atol=1e-6)
    with pytest.raises(ValueError, match="The layer 'twice' is used 2 times, not once"):
        network_of(built, "twice")(IMAGES)
