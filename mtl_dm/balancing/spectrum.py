"""The eigenvalues of a Gram matrix that are not rounding errors."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops


def spectrum(matrix: Any, moves: Any) -> tuple[Any, Any, Any]:
    """Return eigenvalues [T], ascending, eigenvectors [T, T] in columns and which are kept, [T].

    Those above the largest times T times the float32 epsilon are kept, as for the numerical rank.

    Args:
        matrix: [T, T], symmetric, without negative eigenvalues.
        moves: [T], 1 for terms that take part; rows and columns of the others count as 0.
    """
    values, vectors = ops.eigh(matrix * moves[:, None] * moves[None, :])
    least = ops.max(values) * ops.sum(moves) * float(np.finfo(np.float32).eps)
    kept = ops.cast(ops.logical_and(values > least, values > 0), "float32")
    return values, vectors, kept
