"""Random numbers that depend on a seed, a step and names alone.

Whoever else takes part, in whatever order, on whatever backend or device: the numbers are the same.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

LAST = 2**24
"""Steps after which the numbers repeat: float32 counts no further."""


def pair_keys(seed: int, names: Sequence[str]) -> np.ndarray:
    """Return a number for every ordered pair of names, [T, T] uint32.

    Args:
        seed: Any integer.
        names: Of the terms.
    """
    rows = [[zlib.crc32(repr((seed, one, other)).encode()) for other in names] for one in names]
    return np.array(rows, np.uint32).reshape(len(names), len(names))


def uniform(keys: Any, step: Any) -> Any:
    """Return numbers in [0, 1), float32, one a key.

    Mixes key and step by multiplications and shifts (C. Wellons' `lowbias32`), twice.

    Args:
        keys: uint32 of any shape.
        step: A scalar, whole and in [0, `LAST`).
    """
    mixed = _mixed(ops.bitwise_xor(_mixed(ops.convert_to_tensor(keys)), ops.cast(step, "uint32")))
    return ops.cast(ops.bitwise_right_shift(mixed, _word(8)), "float32") / LAST


def following(step: Any) -> Any:
    """Return the number of the next step, again 0 after `LAST` ones."""
    return ops.where(step < LAST - 1, step + 1.0, 0.0)


def _mixed(words: Any) -> Any:
    """Return each 32-bit word as another one, every bit depending on all."""
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        words = ops.bitwise_xor(words, ops.bitwise_right_shift(words, _word(shift)))
        words = words * _word(factor)
    return ops.bitwise_xor(words, ops.bitwise_right_shift(words, _word(16)))


def _word(value: int) -> Any:
    return ops.convert_to_tensor(np.uint32(value))
