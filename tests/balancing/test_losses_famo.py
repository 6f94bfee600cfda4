"""FAMO against a NumPy FAMO with an Adam of its own."""

import numpy as np
import pytest

from mtl_dm.balancing import FAMO
from mtl_dm.balancing.famo import logit_gradient
from tests.balancing.steps import batches, numpy, prepared, seen, softmax, tensor

EPSILON = 1e-8


class Reference:
    """Algorithm 1 of Liu et al. 2023, in float64, for the terms that a batch has."""

    def __init__(self, rate, decay):
        self.rate, self.decay = rate, decay
        self.logits, self.first, self.second = np.zeros(3), np.zeros(3), np.zeros(3)
        self.steps = np.zeros(3)

    def weights(self, losses, present):
        here, weights = present > 0, np.zeros(3)
        inverse = softmax(self.logits[here]) / (losses[here] + EPSILON)
        weights[here] = inverse / inverse.sum()
        return weights

    def learn(self, before, after, present):
        here = np.flatnonzero(present)
        share = softmax(self.logits[here])
        fell = np.log(before[here] + EPSILON) - np.log(after[here] + EPSILON)
        jacobian = np.diag(share) - np.outer(share, share)
        gradient = jacobian.T @ fell + self.decay * self.logits[here]
        self.steps[here] += 1
        self.first[here] += 0.1 * (gradient - self.first[here])
        self.second[here] += 0.001 * (gradient**2 - self.second[here])
        mean = self.first[here] / (1 - 0.9 ** self.steps[here])
        square = self.second[here] / (1 - 0.999 ** self.steps[here])
        self.logits[here] -= self.rate * mean / (np.sqrt(square) + EPSILON)


def test_as_in_numpy_over_steps_with_absent_terms():
    method, reference = prepared(FAMO(0.1, 0.05)), Reference(0.1, 0.05)
    rng = np.random.default_rng(0)
    for losses, present in batches(25, 1):
        step, after = seen(losses, present), losses * rng.uniform(0.6, 1.2, 3) * present
        np.testing.assert_allclose(
            numpy(method.weigh(step)), reference.weights(losses, present), rtol=1e-4
        )
        method.update(step)
        method.after_step(step, tensor(after))
        reference.learn(losses, after, present)
    np.testing.assert_allclose(numpy(method.logits), reference.logits, rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(numpy(method.steps), reference.steps)


def test_by_hand():
    # z = 1/2 each, z / L = 1/2 and 1/8, scaled to sum to 1. The first then halves, the other stays:
    # delta = (log 2, 0), the gradient is z (delta - mean) = (log 2, -log 2) / 4, and Adam's first
    # step has the length of the learning rate.
    method = prepared(FAMO(), "ab")
    step = seen((1.0, 4.0))
    np.testing.assert_allclose(numpy(method.weigh(step)), [0.8, 0.2], rtol=1e-6)
    method.after_step(step, tensor((0.5, 4.0)))
    np.testing.assert_allclose(numpy(method.logits), [-0.025, 0.025], rtol=1e-4)
    np.testing.assert_allclose(
        numpy(method.first_moment), 0.1 * np.log(2) / 4 * np.array([1, -1]), rtol=1e-5
    )


def test_the_gradient_is_that_of_the_shares_times_the_fall():
    logits, before, after = np.array([[0.3, -1.0, 0.8], [1, 2, 3], [0.5, 2.5, 1.0]])
    fell = np.log(before) - np.log(after)
    nearby = 1e-5 * np.eye(3)
    want = [
        (softmax(logits + each) @ fell - softmax(logits - each) @ fell) / 2e-5 for each in nearby
    ]
    got = logit_gradient(*map(tensor, (logits, before, after, np.ones(3))))
    np.testing.assert_allclose(numpy(got), want, rtol=1e-4)


def test_a_loss_of_0_does_not_take_all_the_weight():
    method = prepared(FAMO())
    step = seen((1.0, 0.0, 1.0))
    np.testing.assert_allclose(numpy(method.weigh(step)), [0.5, 0.0, 0.5], rtol=1e-6)
    method.after_step(step, tensor((0.5, 0.0, 1.0)))
    assert numpy(method.steps).tolist() == [1, 0, 1]


@pytest.mark.parametrize("after", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_after_the_step_is_left_out(after):
    method = prepared(FAMO())
    method.after_step(seen((1.0, 2.0, 3.0)), tensor((0.5, after, 3.0)))
    assert numpy(method.steps).tolist() == [1, 0, 1]
    assert all(np.isfinite(numpy(each)).all() for each in method.variables)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": 0}, "learning_rate of FAMO must be finite and > 0, got 0"),
        ({"learning_rate": np.nan}, "learning_rate of FAMO"),
        ({"weight_decay": -0.1}, "weight_decay of FAMO must be finite and >= 0, got -0.1"),
        ({"weight_decay": np.inf}, "weight_decay of FAMO"),
    ],
)
def test_refuses_numbers_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        FAMO(**options)
