"""Vectors of unit length.

Shapes: B images, D numbers of each.
"""

from __future__ import annotations

from typing import Any

from keras import ops

LEAST_SQUARE = 1e-10
"""A squared length below this counts as this, as in the code of Ming et al. 2019: 0 has no
direction."""


def unit_length(rows: Any) -> Any:
    """Return rows, float32, divided by their lengths.

    Args:
        rows: [B, D].
    """
    rows = ops.cast(rows, "float32")
    square = ops.sum(ops.square(rows), axis=-1, keepdims=True)
    return rows * ops.rsqrt(ops.maximum(square, LEAST_SQUARE))
