"""Random numbers by seed and count: whoever keeps the count goes on exactly after a stop."""

from __future__ import annotations

import zlib
from typing import Any

import keras
from keras import ops

LARGEST = 2**31 - 1


class _Given(keras.random.SeedGenerator):
    """A seed that is a value of the step, where Keras takes integers and states of its own only."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def next(self, ordered: bool = True) -> Any:
        """Return the value."""
        del ordered
        return self._value


def uniform(shape: tuple[int, ...], seed: int, count: Any) -> Any:
    """Return float32 numbers in [0, 1), the same for the same seed and count on a backend.

    Args:
        shape: Of the result.
        seed: From 0 to 2^31 - 1.
        count: Scalar, how many times was drawn before.
    """
    kind = "uint32" if keras.backend.backend() == "jax" else "int32"
    pair = [ops.cast(ops.convert_to_tensor(seed, "int32"), kind), ops.cast(count, kind)]
    return keras.random.uniform(shape, seed=_Given(ops.stack(pair)), dtype="float32")


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
