"""The shortest vector in the convex hull of gradients, from their inner products alone."""

from __future__ import annotations

from typing import Any

from keras import ops

ITERATIONS = 250
TOLERANCE = 1e-6


def min_norm_weights(gram: Any, present: Any, iterations: int = ITERATIONS) -> Any:
    """Return w on the simplex with the least |sum_i w_i g_i|^2 = w' G w.

    Source: Sener, Koltun 2018, algorithm 2 (Frank-Wolfe) and eq. 4 (its line search, exact). With
    t = argmin_i (G w)_i and d = e_t - w a step goes to w + gamma d,

        gamma = clip(w' G (w - e_t) / (d' G d), 0, 1).

    For two vectors the line search alone is the closed form. Deviation: gamma may be 0 or 1, where
    the authors' code stops at 0.001 and 0.999.

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

    def better(step: Any, weights: Any, moved: Any) -> Any:
        del moved
        slope = ops.matmul(gram, weights[:, None])[:, 0]
        best = ops.argmin(ops.where(present > 0, slope, float("inf")))
        vertex = ops.cast(ops.one_hot(best, present.shape[0]), "float32") * present
        direction = vertex - weights
        along = ops.matmul(gram, direction[:, None])[:, 0]
        curvature = ops.sum(direction * along)
        gamma = -ops.sum(weights * along) / ops.where(curvature > 0, curvature, 1.0)
        gamma = ops.where(curvature > 0, ops.clip(gamma, 0.0, 1.0), 0.0)
        return step + 1, weights + gamma * direction, gamma

    _, weights, _ = ops.while_loop(
        lambda step, _, moved: ops.logical_and(step < iterations, moved > TOLERANCE),
        better,
        (ops.zeros((), "int32"), start, ops.ones((), "float32")),
    )
    return weights
