"""AdaShare's arithmetic against NumPy loops."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from mtl_dm.draws import keys_of, uniform
from mtl_dm.models.backbones import _policy as policy

LOGITS = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
T, L = 3, 4


def softmax(values):
    raised = np.exp(values - values.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def test_probabilities_and_the_likelier_choice():
    want = softmax(LOGITS)[..., 0]
    np.testing.assert_allclose(policy.execution_probabilities(LOGITS), want, rtol=1e-5)
    np.testing.assert_array_equal(policy.likelier(LOGITS), want >= 0.5)
    np.testing.assert_array_equal(policy.likelier(np.full((1, 2, 2), 0.5, np.float32)), 1.0)


def test_gumbel_softmax_and_its_gradient():
    noise = np.random.default_rng(1).gumbel(size=LOGITS.shape).astype(np.float32)
    tau = 1.7
    logits = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        soft = policy.gumbel_softmax(logits, noise, tau)
        loss = tf.reduce_sum(soft[..., 0])
    want = softmax((LOGITS + noise) / tau)
    np.testing.assert_allclose(soft, want, rtol=1e-5)
    # d e / d a_execute = e (1 - e) / tau, and its negative for the other logit.
    slope = want[..., 0] * want[..., 1] / tau
    gradient = np.stack([slope, -slope], -1)
    np.testing.assert_allclose(tape.gradient(loss, logits), gradient, rtol=1e-4, atol=1e-7)


def test_soft_draws_are_of_the_policy():
    # The larger side of a draw is "execute" as often as its probability, whatever tau.
    drawn = keras.ops.convert_to_numpy(
        policy.gumbel(uniform(keys_of(5, range(8000)).reshape(4000, 2), 0.0))
    )
    assert scipy.stats.kstest(drawn.ravel(), "gumbel_r").pvalue > 0.01
    for tau in (0.2, 5.0):
        soft = policy.gumbel_softmax(np.array([0.8, 0.0], np.float32), drawn, tau)[:, 0]
        rate = float(np.mean(keras.ops.convert_to_numpy(soft) > 0.5))
        assert rate == pytest.approx(1 / (1 + np.exp(-0.8)), abs=0.025)
    assert np.isfinite(policy.gumbel(np.array([0.0, 1.0], np.float32))).all()


@pytest.mark.parametrize("opened", [[0, 0, 0, 1], [1, 1, 1, 1]])
def test_sparsity(opened):
    total = 0.0
    for task in range(T):
        losses = [-np.log(softmax(LOGITS[task, block])[1]) for block in range(L) if opened[block]]
        total += np.mean(losses)
    found = policy.sparsity_loss(LOGITS, np.array(opened, np.float32))
    assert float(found) == pytest.approx(total, rel=1e-5)


def test_sharing():
    total = 0.0
    for one in range(T):
        for other in range(one + 1, T):
            for block in range(L):
                gap = abs(float(LOGITS[one, block, 0]) - float(LOGITS[other, block, 0]))
                total += (block + 1) / L * gap
    assert float(policy.sharing_loss(LOGITS)) == pytest.approx(total, rel=1e-5)
    assert float(policy.sharing_loss(LOGITS[:1])) == 0.0


@pytest.mark.parametrize("each", [0, 1, 3])
def test_the_curriculum_opens_from_the_last_block(each):
    for rounds in range(14):
        count = L if each == 0 else min(L, rounds // each + 1)
        want = [0.0] * (L - count) + [1.0] * count
        np.testing.assert_array_equal(policy.opened_blocks(float(rounds), each, L), want)


def test_temperature():
    for rounds in (0, 1, 7):
        found = float(policy.temperature_at(float(rounds), 5.0, 0.965))
        assert found == pytest.approx(5.0 * 0.965**rounds, rel=1e-5)


def test_a_sample_is_of_the_probabilities():
    chances = np.array([[0.0, 1.0, 0.3]])
    drawn = [policy.sampled_policy(chances, np.random.default_rng(seed)) for seed in range(400)]
    assert set(np.unique(drawn)) == {0.0, 1.0}
    np.testing.assert_allclose(np.mean(drawn, 0), chances, atol=0.07)
