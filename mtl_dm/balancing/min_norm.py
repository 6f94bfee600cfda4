"""The shortest vector in the convex hull of gradients, from their inner products alone."""

from __future__ import annotations

from typing import Any

from keras import ops

ITERATIONS = 250
TOLERANCE = 1e-6
"""Of what moving weight could gain, where the mean squared length is 1."""


def min_norm_weights(gram: Any, present: Any, iterations: int = ITERATIONS) -> Any:
    """Return w on the simplex with the least |sum_i w_i g_i|^2 = w' G w.

    Source: the problem of Sener, Koltun 2018, algorithm 2, and its exact line search (their eq. 4).
    Deviation: their Frank-Wolfe steps from w to the vertex t = argmin_i (G w)_i zigzag where
    several weights are positive and are a hundredth off after 250; pairwise ones (Lacoste-Julien,
    Jaggi 2015) move weight to t from a = argmax_i (G w)_i among those that have any, and converge
    linearly. With d = e_t - e_a,

        gamma = clip(((G w)_a - (G w)_t) / (d' G d), 0, w_a).

    For two vectors the first step is the closed form.

    Args:
        gram: [T, T] inner products of the gradients.
        present: [T], 1 for vectors that take part, 0 for others, whose weight is 0.
        iterations: Most steps.

    Returns:
        [T] float32, >= 0, with sum 1; all 0 where none takes part.
    """
    gram = ops.cast(gram, "float32")
    present = ops.cast(present, "float32")
    count = ops.maximum(ops.sum(present), 1.0)
    # Lengths have no meaning for w: the mean squared one becomes 1, so that tolerances have.
    size = ops.sum(present * ops.diagonal(gram)) / count
    gram = gram * present[:, None] * present[None, :] / ops.where(size > 0, size, 1.0)
    start = present / count
    places = ops.arange(present.shape[0])

    def better(step: Any, weights: Any, gap: Any) -> Any:
        del gap
        slope = ops.matmul(gram, weights[:, None])[:, 0]
        to = places == ops.argmin(ops.where(present > 0, slope, float("inf")))
        away = places == ops.argmax(ops.where(weights > 0, slope, -float("inf")))
        direction = (ops.cast(to, "float32") - ops.cast(away, "float32")) * present
        gap = -ops.sum(direction * slope)
        curvature = ops.sum(direction * ops.matmul(gram, direction[:, None])[:, 0])
        most = ops.sum(weights * ops.cast(away, "float32"))
        gamma = ops.where(
            curvature > 0, gap / ops.where(curvature > 0, curvature, 1.0), float("inf")
        )
        gamma = ops.where(gap > 0, ops.clip(gamma, 0.0, most), 0.0)
        # Exactly 0 where all of it goes.
        return step + 1, ops.maximum(weights + gamma * direction, 0.0), gap

    _, weights, _ = ops.while_loop(
        lambda step, _, gap: ops.logical_and(step < iterations, gap > TOLERANCE),
        better,
        (ops.zeros((), "int32"), start, ops.ones((), "float32")),
    )
    return weights
