"""Quadratic programs over x >= 0, several of one matrix at a time."""

from __future__ import annotations

from typing import Any

from keras import ops

from mtl_dm.balancing.cosines import times

ITERATIONS = 60
TOLERANCE = 1e-5
"""Of a wrong sign, relative to the largest x of the row, at least 1."""
PATIENCE = 3
SPLITTINGS, SPLIT, RELAXATION = 60, 0.1, 1.6
SMALL_SIZE = 8
"""Below it pivoting needs no guess."""


def nonnegative(matrix: Any, linear: Any, iterations: int = ITERATIONS) -> Any:
    """Return, for every row q of `linear`, the x >= 0 with the least x' A x / 2 + q' x.

    It is the x with x >= 0, y = A x + q >= 0 and x_i y_i = 0. Who may be positive (the passive set)
    is guessed, the linear system of those solved, and whoever came out with the wrong sign changes
    sides: all at once, or, where that has not lowered their number `PATIENCE` times, only the last
    of them, which ends for sure. The result is exact but for rounding.

    Source: Kim, Park 2011, section 3 (block principal pivoting).

    Args:
        matrix: [T, T], symmetric and positive definite, its entries at most about 1.
        linear: [R, T].
        iterations: Most changes of sides.

    Returns:
        [R, T] float32.
    """
    places = ops.arange(1, linear.shape[1] + 1)

    def better(step: Any, passive: Any, x: Any, fewest: Any, patience: Any, wrong: Any) -> Any:
        count = ops.sum(ops.cast(wrong, "int32"), axis=1)
        fewer = count < fewest
        last = places == ops.max(ops.where(wrong, places, 0), axis=1, keepdims=True)
        change = ops.logical_or(last, ops.logical_or(fewer, patience > 0)[:, None])
        passive = ops.logical_xor(passive, ops.logical_and(wrong, change))
        patience = ops.where(fewer, PATIENCE, ops.maximum(patience - 1, 0))
        x, wrong = _solved(matrix, linear, passive)
        return step + 1, passive, x, ops.minimum(fewest, count), patience, wrong

    # Before the first solution all that the guess makes passive counts as wrong.
    passive = _guess(matrix, linear)
    rows = ops.zeros_like(linear[:, 0], dtype="int32")
    _, _, x, _, _, _ = ops.while_loop(
        lambda step, passive, x, fewest, patience, wrong: ops.logical_and(
            step < iterations, ops.any(wrong)
        ),
        better,
        (
            ops.zeros((), "int32"),
            ops.zeros_like(passive),
            ops.zeros_like(linear),
            rows + linear.shape[1] + 1,
            rows + PATIENCE,
            passive,
        ),
    )
    return ops.maximum(x, 0.0)


def _guess(matrix: Any, linear: Any) -> Any:
    """Return passive sets [R, T] that are right but for a few places.

    By the alternating direction method of multipliers (Boyd et al. 2011, section 5.2), which splits
    x from its copy z >= 0: one inverse for all rows and steps, where pivoting solves a system a row
    each time. Passive is where z > 0. Rounded products on an accelerator harm a guess little.
    """
    falls = linear < -TOLERANCE
    if linear.shape[1] < SMALL_SIZE:
        return falls
    inverse = ops.inv(matrix + SPLIT * ops.eye(matrix.shape[0]))

    def better(step: Any, z: Any, dual: Any) -> Any:
        x = ops.matmul(SPLIT * (z - dual) - linear, inverse)
        moved = RELAXATION * x + (1.0 - RELAXATION) * z + dual
        z = ops.maximum(moved, 0.0)
        return step + 1, z, moved - z

    zeros = ops.zeros_like(linear)
    _, z, _ = ops.while_loop(
        lambda step, *_: ops.logical_and(step < SPLITTINGS, ops.any(falls)),
        better,
        (ops.zeros((), "int32"), zeros, zeros),
    )
    return z > 0


def _solved(matrix: Any, linear: Any, passive: Any) -> tuple[Any, Any]:
    """Return x, 0 outside of the passive sets, and who has the wrong sign."""
    inside = ops.cast(passive, "float32")
    system = inside[:, :, None] * matrix * inside[:, None, :]
    system = system + (1.0 - inside)[:, :, None] * ops.eye(matrix.shape[0])
    x = inside * ops.solve(system, (-inside * linear)[:, :, None])[:, :, 0]
    size = ops.maximum(ops.max(ops.abs(x), axis=1, keepdims=True), 1.0)
    signed = ops.where(passive, x, times(matrix, x) + linear)
    return x, signed < -TOLERANCE * size
