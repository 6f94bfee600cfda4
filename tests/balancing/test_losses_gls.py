"""The geometric loss strategy: its weights against the objective that they stand for."""

import numpy as np
import tensorflow as tf

from mtl_dm.balancing import GLS
from mtl_dm.balancing.gls import geometric_weights
from tests.balancing.steps import batches, prepared, tensor, weighed


def test_as_in_numpy_over_steps_with_absent_terms():
    method = prepared(GLS())
    for losses, present in batches(8, 0):
        here, want = present > 0, np.zeros(3)
        product = np.prod(losses[here]) ** (1 / here.sum())
        want[here] = product / (here.sum() * losses[here])
        got = weighed(method, losses, present)
        np.testing.assert_allclose(got, want, rtol=1e-5)
        # The weighted sum is the geometric mean itself.
        assert np.isclose(got @ losses, product, rtol=1e-5)


def test_by_hand():
    # L = sqrt(1 * 4) = 2: weights 2 / (2 * 1) and 2 / (2 * 4).
    np.testing.assert_allclose(weighed(prepared(GLS(), "ab"), (1.0, 4.0)), [1.0, 0.25], rtol=1e-6)


def test_the_weights_have_the_gradient_of_the_objective():
    rng = np.random.default_rng(1)
    maps, targets = tensor(rng.normal(size=(3, 4, 5))), tensor(rng.normal(size=(3, 4)))
    place = tf.Variable(rng.normal(size=(5, 1)).astype(np.float32))
    with tf.GradientTape(persistent=True) as tape:
        losses = tf.reduce_mean((tf.matmul(maps, place)[..., 0] - targets) ** 2, axis=-1)
        objective = tf.reduce_prod(losses) ** (1 / 3)
        weights = geometric_weights(losses, tensor(np.ones(3)))
        weighted = tf.reduce_sum(tf.stop_gradient(weights) * losses)
    want = tape.gradient(objective, place).numpy()
    np.testing.assert_allclose(tape.gradient(weighted, place).numpy(), want, rtol=1e-5)


def test_a_loss_of_0_does_not_stop_the_others():
    got = weighed(prepared(GLS()), (1.0, 0.0, 4.0))
    np.testing.assert_allclose(got, [1.0, 0.0, 0.25], rtol=1e-6)


def test_forty_losses_leave_no_float32_behind():
    names = [f"t{index}" for index in range(40)]
    for size in (1e-6, 1e4):
        got = weighed(prepared(GLS(), names), np.full(40, size))
        np.testing.assert_allclose(got, 1 / 40, rtol=1e-3)
