"""Gradients as unit vectors: their cosines, and coefficients on them as weights of the terms.

Solvers work on cosines, not on the Gram matrix: a gradient a thousand times as long as another is
no harder for them, and in float32 its products leave something of the other's.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from mtl_dm.balancing._gradients import normalised

SHORTEST = 1e-12
"""A gradient of a smaller share of the mean squared length has no direction to speak of."""


def cosines(gram: Any, present: Any) -> tuple[Any, Any, Any]:
    """Return the cosines between the terms' gradients, their lengths and who takes part.

    Args:
        gram: [T, T] inner products.
        present: [T], 1 where the term has anything to act on.

    Returns:
        [T, T] cosines, a row and a column of the identity for who takes no part; [T] lengths, 1
        for who takes no part; [T], 1 for the terms that are present and have a gradient.
    """
    relative, unit = normalised(gram, present)
    squares = ops.diagonal(relative)
    moves = ops.cast(squares > SHORTEST, "float32")
    lengths = ops.where(moves > 0, ops.sqrt(ops.maximum(squares, SHORTEST)), 1.0)
    found = relative / (lengths[:, None] * lengths[None, :]) * moves[:, None] * moves[None, :]
    identity = ops.eye(moves.shape[0])
    found = ops.clip(found, -1.0, 1.0) * (1.0 - identity) + identity
    return found, ops.where(moves > 0, lengths * ops.sqrt(unit), 1.0), moves


def times(matrix: Any, vectors: Any) -> Any:
    """Return the matrix [R, T] times vectors [..., T], in full precision on every device.

    Accelerators round the factors of `matmul` to ten bits.
    """
    return ops.sum(matrix * vectors[..., None, :], axis=-1)


def summed(coefficients: Any, lengths: Any, moves: Any) -> Any:
    """Return the weights of the terms in d = sum_i |g_i| sum_j x_ij g_j / |g_j|.

    Args:
        coefficients: [T, T], x_ij of what became of the unit vector i.
        lengths: [T], |g_i|.
        moves: [T], 1 where the term takes part.

    Returns:
        [T], 0 where the term takes no part.
    """
    ratios = lengths[:, None] / lengths[None, :]
    return moves * ops.sum(moves[:, None] * ratios * coefficients, axis=0)
