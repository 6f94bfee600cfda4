"""The distance of two embeddings by their directions.

Shapes: B samples, D numbers.
"""

from __future__ import annotations

from typing import Any

from keras import ops

_LEAST = 1e-12
"""Of a squared length: the root of 0 has no gradient."""


def cosine_distance(wanted: Any, found: Any) -> Any:
    """Return 1 - a.b / (|a| |b|), in [0, 2], of every pair.

    Vielzeuf et al. 2019, eq. 4, print the cosine itself, D_c = a.b / (|a| |b|), as what is
    minimised: embeddings would be driven to opposite directions. Its distance is what they mean.

    Args:
        wanted: Embeddings [B, D]; one of length 0 is at distance 1 of all.
        found: Embeddings [B, D].

    Returns:
        [B].
    """
    wanted = ops.cast(wanted, found.dtype)
    lengths = ops.sum(ops.square(wanted), -1), ops.sum(ops.square(found), -1)
    below = ops.sqrt(ops.maximum(lengths[0], _LEAST)) * ops.sqrt(ops.maximum(lengths[1], _LEAST))
    return 1.0 - ops.sum(wanted * found, -1) / below
