"""Random numbers that are a function of a seed, a name and a step.

A method that draws must draw the same on every replica, go on after a resume where it was, and draw
for a term whatever the other terms are. `keras.random` takes no step of a graph for a seed, and its
generators count calls; so the bits are hashed here, the same on each backend.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

STEPS = 2.0**24
"""How far a float32 counts; a counter starts again there."""


def mixed(bits: Any) -> Any:
    """Return 32 bits of which each depends on all that are given.

    Source: the finaliser of MurmurHash3 (Appleby), a bijection.

    Args:
        bits: uint32, any shape.
    """
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        bits = ops.bitwise_xor(bits, ops.right_shift(bits, _word(shift)))
        bits = bits * _word(factor)
    return ops.bitwise_xor(bits, ops.right_shift(bits, _word(16)))


def normals(seed: int, names: Sequence[str], step: Any) -> Any:
    """Return one number of the standard normal distribution a name.

    Args:
        seed: 0 <= seed < 2^32.
        names: T names; the order does not matter.
        step: A float32 scalar, a whole number in [0, `STEPS`).

    Returns:
        [T] float32.
    """
    keys = np.array([zlib.crc32(name.encode()) for name in names], np.uint32)
    streams = mixed(ops.bitwise_xor(ops.convert_to_tensor(keys), mixed(_word(seed))))
    bits = mixed(ops.bitwise_xor(streams, mixed(ops.cast(step, "uint32") + _word(1))))
    # 24 bits fit a float32; half of one keeps 0 and 1, the quantiles at infinity, away.
    uniform = (ops.cast(ops.right_shift(bits, _word(8)), "float32") + 0.5) / 2.0**24
    return math.sqrt(2.0) * ops.erfinv(2.0 * uniform - 1.0)


def next_step(step: Any) -> Any:
    """Return the counter after `step`."""
    return ops.where(step + 1.0 < STEPS, step + 1.0, 0.0)


def _word(value: int) -> Any:
    return ops.convert_to_tensor(np.uint32(value))
