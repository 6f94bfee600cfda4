"""Dual balancing, against NumPy on the gradients themselves."""

import keras
import numpy as np
import pytest

from mtl_dm.balancing import Seen
from mtl_dm.balancing.db_mtl import DBMTL, equal_lengths, fading, smoothed
from mtl_dm.models.steps.scopes import is_shared
from tests.models.cases import coupled_model, dataset
from tests.models.steps.test_gradients import ROWS, TASKS, batch, model_with, moved_by, separate

RNG = np.random.default_rng(0)
numpy = keras.ops.convert_to_numpy


def tensor(array):
    return keras.ops.convert_to_tensor(np.asarray(array, np.float32))


def test_all_become_as_long_as_the_longest():
    rows = RNG.normal(size=(3, 5)) * [[0.1], [3.0], [1.0]]
    rows[2] = 0  # absent
    weights = numpy(equal_lengths(tensor(rows @ rows.T), tensor([1, 1, 0])))
    lengths = np.linalg.norm(weights[:, None] * rows, axis=1)
    np.testing.assert_allclose(lengths, [np.linalg.norm(rows[1])] * 2 + [0], rtol=1e-5)
    assert weights[2] == 0


def test_running_means():
    mean, gradient = RNG.normal(size=(2, 3, 2, 2))
    losses, present = np.array([0.5, 2.0, 1.0]), np.array([1.0, 1.0, 0.0])
    # Steps 4, 1 and (still) 9: 0.9 / 2 of the mean stays, nothing in a first step.
    share = numpy(fading(tensor([4, 1, 9]), 0.9, 0.5))
    np.testing.assert_allclose(share, [0.45, 0, 0.3], rtol=1e-6)
    got = numpy(smoothed(*map(tensor, (mean, gradient, losses, present, share))))
    np.testing.assert_allclose(got[0], 0.55 * gradient[0] / 0.5 + 0.45 * mean[0], rtol=1e-5)
    np.testing.assert_allclose(got[1], gradient[1] / 2, rtol=1e-5)
    np.testing.assert_allclose(got[2], mean[2], rtol=1e-6)


def test_two_steps_of_a_model():
    model, data = model_with(DBMTL(beta=0.5, sigma=1.0)), batch()
    names, shared = model.balancing.names, is_shared(model)
    means = None
    for share in (0.0, 0.5 / 2):
        found = separate(model, data)
        losses = np.array([found[name][0] for name in names])
        rows = [
            np.stack([found[name][1][place] / losses[i] for i, name in enumerate(names)])
            for place in range(len(shared))
        ]
        if means is not None:
            rows = [
                fresh + share * (mean - fresh) if mine else fresh
                for fresh, mean, mine in zip(rows, means, shared, strict=True)
            ]
        means = rows
        of_shared = [
            row.reshape(len(names), -1) for row, mine in zip(rows, shared, strict=True) if mine
        ]
        lengths = np.linalg.norm(np.concatenate(of_shared, axis=1), axis=1)
        weights = lengths.max() / lengths
        want = [
            np.tensordot(weights if mine else np.ones(len(names)), row, 1)
            for row, mine in zip(rows, shared, strict=True)
        ]
        for got, expected in zip(moved_by(model, data), want, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("loss", [-0.5, 0.0])
def test_a_loss_without_a_logarithm_takes_no_part(loss):
    method = DBMTL()
    method.prepare(("a", "b"))
    kernel = keras.Variable(np.zeros(3))
    method.prepare_gradients([kernel])
    step = Seen(("a", "b"), tensor([loss, 2.0]), tensor([1, 1]), tensor(np.eye(2)))
    rows = RNG.normal(size=(2, 3))
    (smooth,) = method.smooth([kernel], [tensor(rows)], step)
    np.testing.assert_allclose(smooth, [np.zeros(3), rows[1] / 2], rtol=1e-5)
    np.testing.assert_allclose(method.weigh(step), [0, 1], rtol=1e-5)
    np.testing.assert_allclose(method.for_heads(tensor([1, 1]), step), [0, 0.5], rtol=1e-5)
    method.update(step)
    np.testing.assert_array_equal(method.steps, [0, 1])


def test_running_means_of_weights_that_an_earlier_stage_froze(tmp_path):
    data = batch()
    made = coupled_model(tasks=TASKS, balancing=DBMTL(), couplings=())
    made(data[0])
    layer = made.backbone.layers[0]
    kernel, layer.kernel.trainable = layer.kernel, False
    made.compile("sgd", run_eagerly=True)
    made.fit(dataset(data, ROWS), verbose=0, shuffle=False)
    made.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for got, want in zip(loaded.get_weights(), made.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)
    for model in (made, loaded):
        model.backbone.layers[0].kernel.trainable = True
        model.compile("sgd", run_eagerly=True)
        model.fit(dataset(data, ROWS), verbose=0, shuffle=False)
    for got, want in zip(loaded.get_weights(), made.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)
    assert made.balancing._means[id(kernel)].numpy().any()


@pytest.mark.parametrize("options", [{"beta": 1.0}, {"beta": -0.1}, {"sigma": -1.0}])
def test_refuses(options):
    with pytest.raises(ValueError, match=rf"{next(iter(options))} of DB-MTL must be"):
        DBMTL(**options)
