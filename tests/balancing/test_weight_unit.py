"""The equations of the dynamic weight unit, against automatic differentiation and by hand."""

import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.balancing import weight_unit
from mtl_dm.losses.lengths import unit_length
from tests.balancing.steps import numpy, tensor

RNG = np.random.default_rng(0)
BOUNDS = (0.19557, 0.80443)
"""sigmoid(-sqrt(2)) and sigmoid(sqrt(2))."""


def unit(terms, images=5, width=4, seed=0):
    """Features of unit length, psi, b, and losses of some terms."""
    rng = np.random.default_rng(seed)
    features = unit_length(tensor(rng.normal(size=(images, width))))
    parameters = tensor(rng.normal(size=(width, terms))), tensor(rng.normal(size=terms))
    return features, *parameters, rng.uniform(0.1, 3.0, terms)


def weights(logits, present=None):
    present = np.ones(np.shape(logits)[-1]) if present is None else present
    return numpy(weight_unit.weights_of_images(tensor(logits), tensor(present)))


@pytest.mark.parametrize("terms", [1, 2, 5])
def test_weights_are_a_softmax_that_sums_to_1(terms):
    logits = 10 * RNG.normal(size=(20, terms))
    sizes = np.exp(logits)
    want = sizes / sizes.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(weights(logits), want, rtol=1e-4, atol=1e-7)


def test_an_absent_term_has_no_weight_and_the_others_are_as_without_it():
    logits = np.array([[1.0, 900.0, -1.0]])
    got = weights(logits, [1, 0, 1])
    assert got[0, 1] == 0
    np.testing.assert_allclose(got[:, [0, 2]], weights(logits[:, [0, 2]]), rtol=1e-6)
    assert not weights(logits, [0, 0, 0]).any()


def test_normalised_logits_bound_the_weights_of_two_terms():
    logits = tensor(RNG.normal(size=(1000, 2)) * 10.0 ** RNG.uniform(-3, 6, (1000, 1)))
    found = weights(weight_unit.normalised(logits, tensor([1, 1])))
    assert found.min() == pytest.approx(BOUNDS[0], abs=1e-3)
    assert found.max() == pytest.approx(BOUNDS[1], abs=1e-3)
    assert BOUNDS[0] - 1e-5 < found.min()
    assert found.max() < BOUNDS[1] + 1e-5


@pytest.mark.parametrize("terms", [2, 4])
def test_the_gradient_is_that_of_the_loss(terms):
    features, kernel, bias, losses = unit(terms)
    inverses = tensor(1 / losses)
    with tf.GradientTape() as tape:
        tape.watch([kernel, bias])
        logits = weight_unit.unit_logits(features, kernel, bias)
        of_images = weight_unit.weights_of_images(logits, tf.ones(terms))
        loss = weight_unit.weight_loss(weight_unit.batch_mean(of_images), inverses)
    want = tape.gradient(loss, [kernel, bias])
    at_logits = weight_unit.logit_gradient(of_images, inverses)
    got = weight_unit.parameter_gradients(at_logits, features)
    for one, other in zip(got, want, strict=True):
        np.testing.assert_allclose(numpy(one), numpy(other), rtol=1e-4, atol=1e-6)
    # By hand, of one image: w_i (1/L_i - sum_j w_j / L_j) z.
    w, z = numpy(of_images)[0], numpy(features)[0]
    hand = np.outer(z, w * (1 / losses - (w / losses).sum()))
    one_image = weight_unit.parameter_gradients(at_logits[:1], features[:1])[0]
    np.testing.assert_allclose(numpy(one_image), hand, rtol=1e-4, atol=1e-6)


def test_as_printed_a_step_is_half_of_the_true_one_for_two_terms():
    for seed in range(3):
        features, kernel, bias, losses = unit(2, seed=seed)
        logits = weight_unit.unit_logits(features, kernel, bias)
        of_images = weight_unit.weights_of_images(logits, tf.ones(2))
        inverses = tensor(1 / losses)
        true = numpy(weight_unit.logit_gradient(of_images, inverses))
        printed = numpy(weight_unit.printed_logit_gradient(of_images, inverses))
        np.testing.assert_allclose(2 * (printed[:, 0] - printed[:, 1]), np.subtract(*true.T), 1e-4)


def test_through_the_scaling_a_unit_from_zero_would_stop_after_one_step():
    # The first step moves two logits by opposite amounts; of such the scaling leaves the sign.
    logits = tensor([[0.3, -0.3]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        scaled = weight_unit.normalised(logits, tf.ones(2))
        of_images = weight_unit.weights_of_images(scaled, tf.ones(2))
        loss = weight_unit.weight_loss(of_images, tensor([1.0, 5.0]))
    np.testing.assert_allclose(numpy(tape.gradient(loss, logits)), 0, atol=1e-6)
    np.testing.assert_allclose(weights(scaled), [BOUNDS[::-1]], atol=1e-4)


def test_slopes_depend_on_ratios_alone():
    # Section 5.5: a_i sum_{j != i} a_j / (sum_j a_j)^2 with large a_i.
    def printed(a):
        return a * (a.sum(axis=-1, keepdims=True) - a) / a.sum(axis=-1, keepdims=True) ** 2

    a = 10.0 ** RNG.uniform(-2, 9, (50, 3))
    shares = a / a.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(weight_unit.slopes_of(shares), printed(a), rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(printed(1e9 * a), printed(a), rtol=1e-9)
    scaled = weights(weight_unit.normalised(tensor(np.log(a[:, :2])), tensor([1, 1])))
    assert weight_unit.slopes_of(scaled).min() > 0.157


def test_the_inverse_of_a_loss_of_0_is_left_out():
    found = numpy(weight_unit.inverses(tensor([0.0, 0.5]), tensor([0.0, 1.0]), 0.5))
    np.testing.assert_allclose(found, [0.0, 1.0])
