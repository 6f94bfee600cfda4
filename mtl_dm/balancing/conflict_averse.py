"""CAGrad's problem on the simplex, by a primal-dual interior-point method."""

from __future__ import annotations

from typing import Any

from keras import ops

from mtl_dm.balancing.cosines import times

ITERATIONS = 40
TOLERANCE = 2e-6
"""Of how far the value is from the least."""
LEAST = 1e-8
"""That t falls to."""
SMOOTH = 1e-6
"""Eps, where the mean squared length is 1."""
SHRINK, LONG = (0.1, 0.7), 0.5
"""What t falls by after a step longer than `LONG` of the whole one, and after a shorter one."""
NOISE = 1e-6
"""Of a slope in float32."""
STEPS = tuple(0.5**power for power in range(9))


def conflict_averse(gram: Any, moves: Any, c: float, iterations: int = ITERATIONS) -> Any:
    """Return the w on the simplex with the least w' b + c sqrt(w' G w + eps), b = G 1 / (T |g_0|).

    That is the problem of Liu et al. 2021, algorithm 1, divided by |g_0|. Newton's steps on the
    optimality conditions

        grad f(w) - z - nu 1 = 0,  w_i z_i = t,  sum_i w_i = 1,  w, z >= 0

    while t falls to 0, with D = diag(sqrt(w / z)) in the form (D H D + I) u = D r, dw = D u, whose
    matrix has no eigenvalue below 1. A step stays inside of the simplex and goes to where the slope
    of f - t sum_i log w_i along it does not turn up again. It ends when w' grad - min_i grad_i,
    which bounds what is left to gain, is small.

    Args:
        gram: [T, T], the mean squared length 1, rows and columns of 0 for who takes no part.
        moves: [T], 1 for terms that take part.
        c: >= 0.
        iterations: Most steps.

    Returns:
        [T] float32, >= 0, with sum 1; all 0 where none takes part.
    """
    count = ops.maximum(ops.sum(moves), 1.0)
    linear = times(gram, moves) / count
    linear = linear / ops.sqrt(ops.maximum(ops.sum(linear * moves) / count, SMOOTH))
    start = moves / count
    slope = _slope(gram, linear, c, start)
    slack = ops.max(ops.abs(slope) * moves) + SMOOTH

    def better(step: Any, w: Any, z: Any, size: Any, gap: Any) -> Any:
        del gap
        target = ops.maximum(ops.sum(w * z) / count * ops.where(size > LONG, *SHRINK), LEAST)
        change = _newton(gram, linear, c, w, z, moves, target)
        other = moves * (target / _inside(w, moves) - z - z / _inside(w, moves) * change)
        # One size for both, or z would no longer belong to w.
        most = ops.minimum(_within(w, change, moves), _within(z, other, moves))
        size = _step(gram, linear, c, w, change, moves, target, most)
        w, z = w + size * change, z + size * other
        w = w / ops.maximum(ops.sum(w), SMOOTH)  # Rounding adds up.
        return step + 1, w, z, size, _gap(_slope(gram, linear, c, w), w, moves)

    _, w, _, _, _ = ops.while_loop(
        lambda step, w, z, size, gap: ops.logical_and(step < iterations, gap > TOLERANCE),
        better,
        (ops.zeros((), "int32"), start, slack * moves, ops.ones(()), _gap(slope, start, moves)),
    )
    return w


def smooth_length(gram: Any, w: Any) -> Any:
    """Return sqrt(w' G w + eps) for w [..., T], [..., 1]."""
    squares = ops.sum(w * times(gram, w), axis=-1, keepdims=True)
    return ops.sqrt(ops.maximum(squares, 0.0) + SMOOTH)


def _slope(gram: Any, linear: Any, c: float, w: Any) -> Any:
    return linear + c * times(gram, w) / smooth_length(gram, w)


def _gap(slope: Any, w: Any, moves: Any) -> Any:
    """Return a bound of how far f(w) is from the least: f is convex."""
    return ops.sum(slope * w) - ops.min(ops.where(moves > 0, slope, float("inf")))


def _newton(gram: Any, linear: Any, c: float, w: Any, z: Any, moves: Any, target: Any) -> Any:
    """Return the change of w, whose sum is 0."""
    length = smooth_length(gram, w)
    towards = times(gram, w) / length
    curvature = c * (gram - towards[:, None] * towards[None, :]) / length
    # f does not curve along w; nothing moves along 1, whose addition keeps the system regular.
    curvature = curvature + 1.0
    root = moves * ops.sqrt(_inside(w, moves) / _inside(z, moves))
    right = root * (target / _inside(w, moves) - _slope(gram, linear, c, w))
    system = root[:, None] * curvature * root[None, :] + ops.eye(w.shape[0])
    found = root[:, None] * ops.solve(system, ops.stack([right, root], axis=1))
    sums = ops.sum(found, axis=0)
    return found[:, 0] - found[:, 1] * sums[0] / ops.where(sums[1] > 0, sums[1], 1.0)


def _step(
    gram: Any, linear: Any, c: float, w: Any, change: Any, moves: Any, target: Any, most: Any
) -> Any:
    """Return how far to go along a change of w: as far as the slope does not turn up again."""
    sizes = ops.concatenate([most * ops.convert_to_tensor(STEPS, "float32"), ops.zeros((1,))])
    tried = w + sizes[:, None] * change
    slopes = _slope(gram, linear, c, tried) - target / _inside(tried, moves)
    along = ops.sum(moves * change * slopes, axis=-1)
    fine = along <= 0.5 * ops.abs(along[-1]) + NOISE * ops.sum(ops.abs(change))
    return ops.take(sizes, ops.argmax(ops.cast(fine, "int32")))


def _inside(values: Any, moves: Any) -> Any:
    """Return the values, 1 for who takes no part."""
    return ops.where(moves > 0, values, 1.0)


def _within(values: Any, change: Any, moves: Any) -> Any:
    """Return how far to go, 1 at most, for the values to stay positive."""
    falls = ops.logical_and(moves > 0, change < 0)
    return ops.minimum(
        1.0, 0.95 * ops.min(ops.where(falls, -values / ops.where(falls, change, -1.0), 2.0))
    )
