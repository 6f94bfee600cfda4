"""Random numbers that are a function of a seed, a name and a count.

Whoever keeps the count goes on exactly after a stop; every replica draws the same; and what is
drawn for one name does not depend on what else there is, on the order or on the backend.
`keras.random` takes no number of a step's graph for a seed, and its generators count calls; so the
bits are hashed here.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from keras import ops

COUNTS = 2.0**24
"""How far a float32 counts; a count starts again there."""
LARGEST = 2**31 - 1


def keys_of(seed: int, names: Iterable[Any]) -> np.ndarray:
    """Return a key for each name, [T] uint32.

    Args:
        seed: Of all.
        names: Texts, numbers or tuples of these.
    """
    return np.array([zlib.crc32(repr((seed, name)).encode()) for name in names], np.uint32)


def uniform(keys: Any, count: Any) -> Any:
    """Return numbers in (0, 1), float32, one a key.

    Mixes key and count by multiplications and shifts (C. Wellons' `lowbias32`), twice.

    Args:
        keys: uint32 of any shape.
        count: How often was drawn before, whole and in [0, `COUNTS`); of any shape that fits.
    """
    mixed = _mixed(ops.bitwise_xor(_mixed(ops.convert_to_tensor(keys)), ops.cast(count, "uint32")))
    # 23 bits and half of one fit a float32: neither 0 nor 1, whose quantiles are infinite.
    return (ops.cast(ops.right_shift(mixed, _word(9)), "float32") + 0.5) / 2.0**23


def normal(keys: Any, count: Any) -> Any:
    """Return numbers of the standard normal distribution, likewise."""
    return math.sqrt(2.0) * ops.erfinv(2.0 * uniform(keys, count) - 1.0)


def truncated_normal(keys: Any, count: Any) -> Any:
    """Return numbers of the standard normal distribution without those beyond +-2, likewise."""
    tail = 0.5 * math.erfc(math.sqrt(2.0))  # Below -2.
    return math.sqrt(2.0) * ops.erfinv((1.0 - 2.0 * tail) * (2.0 * uniform(keys, count) - 1.0))


def following(count: Any) -> Any:
    """Return the next count."""
    return ops.where(count + 1.0 < COUNTS, count + 1.0, 0.0)


def seed_of(seed: int, *parts: str | int) -> int:
    """Return another seed for each part of what is drawn, the same in every process.

    Args:
        seed: Of the whole.
        *parts: Names or places.
    """
    return zlib.crc32("/".join(map(str, (seed, *parts))).encode()) % LARGEST


def require_seed(who: str, seed: int) -> int:
    """Return a seed.

    Raises:
        ValueError: If it is no integer from 0 to 2^31 - 1.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST:
        raise ValueError(f"The seed of {who} must be an integer from 0 to {LARGEST}, got {seed!r}.")
    return seed


def _mixed(words: Any) -> Any:
    """Return each 32-bit word as another one, every bit depending on all."""
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        words = ops.bitwise_xor(words, ops.right_shift(words, _word(shift)))
        words = words * _word(factor)
    return ops.bitwise_xor(words, ops.right_shift(words, _word(16)))


def _word(value: int) -> Any:
    return ops.convert_to_tensor(np.uint32(value))
