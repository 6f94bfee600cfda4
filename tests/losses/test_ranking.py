"""The navigation loss, against loops over pairs."""

import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.losses.ranking import pairwise_ranking_loss


def looped(scores, losses):
    """Sum over pairs, and its gradient: -1 for the better part, 1 for the worse, of open hinges."""
    value, gradient = np.zeros(len(scores)), np.zeros_like(scores)
    for row, (own, by) in enumerate(zip(scores, losses, strict=True)):
        for better in range(len(own)):
            for worse in range(len(own)):
                gap = 1 - (own[better] - own[worse])
                if by[better] < by[worse] and gap > 0:
                    value[row] += gap
                    gradient[row, better] -= 1
                    gradient[row, worse] += 1
    return value, gradient


def test_value_and_gradient_equal_the_loops():
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 2, (5, 6)).astype(np.float32)
    losses = rng.integers(0, 5, (5, 6)).astype(np.float32)  # Some are equal.
    constants = tf.constant(losses)
    variable = tf.constant(scores)
    with tf.GradientTape() as tape:
        tape.watch([variable, constants])
        value = pairwise_ranking_loss(variable, constants)
    of_scores, of_losses = tape.gradient(value, [variable, constants])
    want, gradient = looped(scores, losses)
    np.testing.assert_allclose(value, want, rtol=1e-5)
    np.testing.assert_array_equal(of_scores, gradient)
    assert of_losses is None


def test_parts_in_order_and_a_margin_apart_cost_nothing():
    losses = np.array([[0.1, 0.7, 2.0]])
    assert pairwise_ranking_loss(np.array([[2.0, 1.0, 0.0]]), losses) == [0.0]
    # By hand: of the pairs (0, 1), (1, 2) and (0, 2) hinges of 1, 1 and 1.
    assert pairwise_ranking_loss(np.zeros((1, 3), np.float16), losses) == [3.0]


def test_shapes_that_differ_are_a_value_error():
    with pytest.raises(ValueError, match=r"losses must have shape \(2, 6\), got \(2, 5\)"):
        pairwise_ranking_loss(np.zeros((2, 6)), np.zeros((2, 5)))
