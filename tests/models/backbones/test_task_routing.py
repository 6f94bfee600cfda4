"""Task Routing: masks of the promised share, and channels that a task cannot touch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.balancing import OneTask
from mtl_dm.models import BACKBONES, MultiTaskModel
from mtl_dm.models.backbones import _task_resnet as resnet
from mtl_dm.models.backbones.task_routing import TaskRoute, routing_masks
from mtl_dm.models.counting import parameters_of
from tests.models.cases import EXPRESSION, UNITS, random_batch

SHAPE = (32, 32, 3)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(resnet, "DEMO", resnet.Size(4, (1, 1), (1, 2)))


def made(**options):
    return BACKBONES.get("task_routing")(SHAPE, variant="demo", **options)


def images(rows=4):
    return np.random.default_rng(0).uniform(-1, 1, (rows, *SHAPE)).astype(np.float32)


@pytest.mark.parametrize(("sigma", "off"), [(0.0, 0), (0.25, 2), (0.5, 5), (0.99, 9)])
def test_each_task_lacks_the_same_share_of_channels(sigma, off):
    masks = routing_masks(3, 10, sigma, seed=4)
    np.testing.assert_array_equal((masks == 0).sum(axis=1), off)
    np.testing.assert_array_equal(masks, routing_masks(3, 10, sigma, seed=4))


def test_masks_are_random_and_differ_by_task_seed_and_layer():
    masks = routing_masks(200, 40, 0.5, seed=0)
    np.testing.assert_allclose(masks.mean(axis=0), 0.5, atol=0.15)
    assert len({tuple(mask) for mask in masks}) == 200
    # Two tasks share a channel with chance (1 - sigma)^2, up to what half of 40 changes.
    assert np.mean(masks[::2] * masks[1::2]) == pytest.approx(0.25, abs=0.01)
    assert np.any(masks != routing_masks(200, 40, 0.5, seed=1))
    routes = [layer for layer in made().layers if isinstance(layer, TaskRoute)]
    assert len(routes) == 1 + 2 * 4
    seen = {keras.ops.convert_to_numpy(each.masks).tobytes() for each in routes if
            each.masks.shape[1] == 16}  # fmt: skip
    assert len(seen) > 1


def test_gradients_of_channels_that_a_task_does_not_see_are_zero():
    backbone = made(sigma=0.5)
    with tf.GradientTape() as tape:
        found = backbone(images(), training=True)["action_units"]
        loss = tf.reduce_sum(tf.square(found) + found)
    variables = backbone.trainable_variables
    gradients = tape.gradient(loss, [each.value for each in variables])
    by_path = {v.path: np.abs(np.asarray(g)) for v, g in zip(variables, gradients, strict=True)}
    for layer in backbone.layers:
        if isinstance(layer, TaskRoute):
            on = keras.ops.convert_to_numpy(layer.masks)[1] > 0
            name = layer.name.removesuffix("_route")
            for path in (f"{name}/kernel", f"{name}_bn/gamma", f"{name}_bn/beta"):
                sizes = by_path[path].reshape(-1, len(on)).sum(axis=0)
                np.testing.assert_array_equal(sizes[~on], 0.0, err_msg=path)
                assert sizes[on].any(), path


def test_without_routing_it_is_one_shared_network():
    shared = made(sigma=0.0)
    assert not [layer for layer in shared.layers if isinstance(layer, TaskRoute)]
    one, other = shared(images()).values()
    assert one is other
    routed = made(sigma=0.5)
    one, other = routed(images()).values()
    assert np.any(one != other)
    assert parameters_of(shared).trainable == parameters_of(routed).trainable


def test_one_task_a_step_moves_no_channel_of_the_others(tmp_path):
    # Batches are annotated for action units alone: they are active in every step.
    model = MultiTaskModel(made(), (EXPRESSION, UNITS), balancing=OneTask())
    _, labels, masks = random_batch(4)
    masks["expression"][:] = 0
    masks["action_units"][:] = 1
    model(images())
    start = {each.path: each.numpy() for each in model.backbone.trainable_variables}
    head = model.heads["expression"].kernel.numpy()
    model.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    model.train_on_batch(images(), labels, masks)
    np.testing.assert_array_equal(model.heads["expression"].kernel, head)
    for layer in model.backbone.layers:
        if isinstance(layer, TaskRoute):
            off = keras.ops.convert_to_numpy(layer.masks)[1] == 0
            path = f"{layer.name.removesuffix('_route')}/kernel"
            kernel = next(v for v in model.backbone.trainable_variables if v.path == path).numpy()
            np.testing.assert_array_equal(kernel[..., off], start[path][..., off])
            assert np.any(kernel[..., ~off] != start[path][..., ~off])
    # What was drawn is kept: the copy goes on with the same masks to the same weights.
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    copy.run_eagerly = True
    masks["expression"][:] = 1
    for each in (model, copy):
        each.train_on_batch(images(), labels, masks)
    for one, two in zip(model.weights, copy.weights, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("sigma", [-0.1, 1.0, float("nan")])
def test_sigma_out_of_range(sigma):
    with pytest.raises(ValueError, match=r"sigma must be in \[0, 1\), got"):
        made(sigma=sigma)


def test_seed_and_tasks_are_checked():
    with pytest.raises(ValueError, match="seed of task_routing"):
        made(seed=-1)
    with pytest.raises(ValueError, match="tasks must be different names"):
        made(tasks="expression")


def test_the_paper_variant_has_the_parameters_of_a_resnet_50():
    backbone = BACKBONES.get("task_routing")(SHAPE, tasks=("one",), sigma=0.0)
    assert parameters_of(backbone) == (23_508_032, 23_561_152)
