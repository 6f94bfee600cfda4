"""How large a batch is that nobody chose the size of: what it holds does not depend on it."""

from __future__ import annotations

import math

import tensorflow as tf

from mtl_dm.memory import SHARE, machine_bytes

UNKNOWN_SIDE = 256
"""What an unknown dimension counts as."""


def bytes_of(spec: object) -> int:
    """Return the size of one element, unknown dimensions counted as `UNKNOWN_SIDE`."""
    return sum(
        math.prod(UNKNOWN_SIDE if side is None else side for side in leaf.shape) * leaf.dtype.size
        for leaf in tf.nest.flatten(spec)
        if leaf.dtype.size
    )


def fitting_batch(source: tf.data.Dataset, most: int) -> int:
    """Return how many elements of a source to look at together: as many as memory has place for.

    Args:
        source: Unbatched.
        most: No more than these; there is at least one.
    """
    return max(1, min(most, int(SHARE * machine_bytes()) // max(1, bytes_of(source.element_spec))))
