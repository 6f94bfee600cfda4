"""Smooth Tchebycheff scalarization: its weights against the objective that they stand for."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.balancing import BALANCING, STCH
from mtl_dm.balancing.stch import tchebycheff_weights
from tests.balancing.steps import batches, numpy, prepared, softmax, tensor, weighed

EPSILON = 1e-8


def smoothed(epochs, warmup, mu, preferences):
    """Weights of every batch; a term's epochs are a list of the means of those it was in."""
    means, found = [[], [], []], []
    for epoch in epochs:
        for losses, present in epoch:
            weights, here = np.zeros(3), present > 0
            warm = here & [len(each) >= warmup for each in means]
            weights[here & ~warm] = 1 / (losses[here & ~warm] + EPSILON)
            if warm.any():
                nadir = np.array(
                    [each[warmup - 1] for each, is_warm in zip(means, warm, strict=True) if is_warm]
                )
                scores = preferences[warm] * np.log(losses[warm] / nadir) / mu
                weights[warm] = warm.sum() * preferences[warm] * softmax(scores) / losses[warm]
            found.append(weights)
        for term, each in enumerate(means):
            losses = [losses[term] for losses, present in epoch if present[term]]
            if losses:
                each.append(np.mean(losses))
    return found


@pytest.mark.parametrize("warmup", [1, 2])
def test_as_in_numpy_over_epochs_with_absent_terms(warmup):
    method = prepared(STCH(mu=0.5, warmup_epochs=warmup, b=2.0))
    epochs, got = [batches(2, seed) for seed in range(5)], []
    for _, present in epochs[0]:  # The second term comes late.
        present[:] = [1.0, 0.0, 1.0]
    for epoch in epochs:
        method.begin_epoch()
        got += [weighed(method, *batch) for batch in epoch]
    want = smoothed(epochs, warmup, 0.5, np.array([1.0, 2.0, 1.0]))
    np.testing.assert_allclose(got, want, rtol=1e-4)


def test_by_hand():
    # The warm-up has weights 1 / L. Its means are 1 and 2. Then L = (2, 2) is (2, 1) of them:
    # shares 2/3 and 1/3, times T = 2, over L = 2.
    method = prepared(STCH(), "ab")
    method.begin_epoch()
    for losses in ((0.5, 1.0), (1.5, 3.0)):
        np.testing.assert_allclose(weighed(method, losses), 1 / np.array(losses), rtol=1e-6)
    method.begin_epoch()
    np.testing.assert_allclose(weighed(method, (2.0, 2.0)), [2 / 3, 1 / 3], rtol=1e-5)


@pytest.mark.parametrize("mu", [0.1, 1.0])
def test_the_weights_have_the_gradient_of_the_objective(mu):
    rng = np.random.default_rng(2)
    maps, targets = tensor(rng.normal(size=(3, 4, 5))), tensor(rng.normal(size=(3, 4)))
    nadir, preferences = np.array([[0.5, 2.0, 1.0], [1.0, 0.5, 2.0]], np.float32)
    place = tf.Variable(rng.normal(size=(5, 1)).astype(np.float32))
    with tf.GradientTape(persistent=True) as tape:
        losses = tf.reduce_mean((tf.matmul(maps, place)[..., 0] - targets) ** 2, axis=-1)
        scores = preferences * tf.math.log(losses / nadir) / mu
        objective = 3.0 * mu * tf.reduce_logsumexp(scores)
        weights = tchebycheff_weights(losses, nadir, tensor(np.ones(3)), preferences, mu)
        weighted = tf.reduce_sum(tf.stop_gradient(weights) * losses)
    want = tape.gradient(objective, place).numpy()
    np.testing.assert_allclose(tape.gradient(weighted, place).numpy(), want, rtol=1e-4)


def test_the_smaller_mu_the_more_the_largest_has_all_the_weight():
    losses, ones = tensor((1.0, 2.0, 1.5)), tensor(np.ones(3))
    got = numpy(tchebycheff_weights(losses, ones, ones, ones, 0.01))
    np.testing.assert_allclose(got, [0.0, 3 / 2.0, 0.0], atol=1e-6)


def test_a_loss_of_0_takes_no_part():
    method = prepared(STCH(), "ab")
    np.testing.assert_allclose(weighed(method, (0.0, 2.0)), [0.0, 0.5], rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mu": 0}, "mu of STCH must be finite and > 0, got 0"),
        ({"mu": np.nan}, "mu of STCH"),
        ({"warmup_epochs": 0}, "warmup_epochs of STCH must be a whole number >= 1, got 0"),
        ({"warmup_epochs": 1.5}, "warmup_epochs of STCH .*got 1.5"),
        ({"a": 0}, "preference of 'a' must be a finite number > 0, got 0"),
        ({"a": "2"}, "preference of 'a' .*got '2'"),
        ({"a": np.inf}, "preference of 'a'"),
    ],
)
def test_refuses_numbers_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        STCH(**options)


def test_a_preference_of_no_term_lists_the_terms():
    with pytest.raises(ValueError, match=r"name \['d'\], but the terms are \['a', 'b', 'c'\]"):
        prepared(STCH(d=1.0))


def test_preferences_from_text_survive_json():
    method = BALANCING.create("stch(mu=0.5, warmup_epochs=2, b=3)")
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(method)))
    copy = keras.saving.deserialize_keras_object(config)
    assert (copy.mu, copy.warmup_epochs) == (0.5, 2)
    for each in (method, copy):
        prepared(each).epochs.assign(2 * np.ones(3))
    got, want = weighed(copy, (1.0, 2.0, 3.0)), weighed(method, (1.0, 2.0, 3.0))
    np.testing.assert_array_equal(got, want)
    # mu = 1/2 squares: 1, and 2 to the power of 2 * 3, and 9; times p, over L, times T = 3.
    shares = np.array([1, 2**6, 9]) / (1 + 2**6 + 9)
    np.testing.assert_allclose(want, 3 * shares * np.array([1, 3 / 2, 1 / 3]), rtol=1e-5)
