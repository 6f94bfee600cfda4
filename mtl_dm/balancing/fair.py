"""The weights w > 0 with G w = w^(-p): a strictly convex problem, by Newton's method."""

from __future__ import annotations

from typing import Any

from keras import ops

from mtl_dm.balancing.cosines import times

ITERATIONS = 60
TOLERANCE = 1e-3
"""Of Newton's step relative to the weights; the step squares the error."""
RIDGE = 1e-6
"""Added to the cosines' diagonal: what float32 leaves uncertain of them."""
STEPS = (1.0, *(0.5**power for power in range(-3, 10)))
"""Fractions of Newton's step that are tried."""


def fair_weights(
    cosines: Any, lengths: Any, moves: Any, power: float, iterations: int = ITERATIONS
) -> Any:
    """Return w > 0 with (G w)_i = w_i^(-p).

    It is where the gradient of a strictly convex function is 0,

        F(w) = w' G w / 2 - sum_i phi(w_i),  phi(w) = log w for p = 1, else w^(1 - p) / (1 - p).

    With G = L C L of lengths L and cosines C, w_i = |g_i|^(-2 / (1 + p)) z_i and
    s_i = |g_i|^((p - 1) / (p + 1)), it becomes (C s z)_i = s_i z_i^(-p), where single terms have
    z = 1 whatever their lengths. Newton's step solves (Z C Z + p I) y = -s z^((1 - p) / 2) r with
    Z = diag(z^((p + 1) / 2)), the residual r_i = z_i^p (C s z)_i / s_i - 1 and
    dz = z^((p + 1) / 2) y / s: no eigenvalue of that matrix is below p, however close the gradients
    are to being dependent. Of `STEPS` it takes the one where the slope along it is least.

    Where 0 is a convex combination of the gradients (a Pareto-stationary point) there is no such w:
    F falls without end. `RIDGE` on C then keeps w finite, close to a combination that gives 0.

    Args:
        cosines: [T, T], C.
        lengths: [T], |g_i| > 0.
        moves: [T], 1 for terms that take part; the others have rows of the identity in C.
        power: p > 0.
        iterations: Most steps.

    Returns:
        [T] float32, > 0 where the term takes part, else 0.
    """
    matrix = cosines + RIDGE * ops.eye(moves.shape[0])
    # Only ratios of lengths matter for s.
    typical = ops.exp(ops.sum(moves * ops.log(lengths)) / ops.maximum(ops.sum(moves), 1.0))
    relative = ops.where(moves > 0, lengths / typical, 1.0)
    scale = ops.power(relative, (power - 1.0) / (power + 1.0))
    # The best point of a ray.
    along = ops.sum(scale * times(matrix, scale))
    length = ops.power(ops.sum(scale * scale) / ops.maximum(along, RIDGE), 1.0 / (1.0 + power))
    start = length * ops.ones_like(scale)

    def better(step: Any, z: Any, moved: Any) -> Any:
        del moved
        direction = _newton(matrix, scale, z, power)
        size = _step(matrix, scale, z, direction, power)
        return step + 1, z + size * direction, ops.max(ops.abs(direction / z))

    _, z, _ = ops.while_loop(
        lambda step, _, moved: ops.logical_and(step < iterations, moved > TOLERANCE),
        better,
        (ops.zeros((), "int32"), start, ops.ones(())),
    )
    return moves * z * ops.power(lengths, -2.0 / (1.0 + power))


def _power(z: Any, exponent: float) -> Any:
    """Return z^exponent, kept within what float32 can square."""
    return ops.exp(ops.clip(exponent * ops.log(z), -40.0, 40.0))


def _slope(matrix: Any, scale: Any, z: Any, power: float) -> Any:
    """Return the gradient of F in z, divided by s, for z [..., T]."""
    return times(matrix, scale * z) - scale * _power(z, -power)


def _newton(matrix: Any, scale: Any, z: Any, power: float) -> Any:
    """Return Newton's step for z."""
    root = _power(z, (power + 1.0) / 2.0)
    system = root[:, None] * matrix * root[None, :] + power * ops.eye(z.shape[0])
    right = -root * _slope(matrix, scale, z, power)
    return root * ops.solve(system, right[:, None])[:, 0] / scale


def _step(matrix: Any, scale: Any, z: Any, direction: Any, power: float) -> Any:
    """Return how far to go, the z staying positive: where the slope on the way is closest to 0."""
    falls = direction < 0
    most = ops.min(ops.where(falls, -z / ops.where(falls, direction, -1.0), float("inf")))
    sizes = ops.minimum(ops.convert_to_tensor(STEPS, "float32"), 0.95 * most)
    tried = z + sizes[:, None] * direction
    slopes = ops.abs(ops.sum(direction * scale * _slope(matrix, scale, tried, power), axis=-1))
    slopes = ops.where(ops.isfinite(slopes), slopes, float("inf"))
    return ops.take(sizes, ops.argmin(slopes))
