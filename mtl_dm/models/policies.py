"""The arithmetic that layers take when they are made and say nothing themselves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras


@contextlib.contextmanager
def under_policy(policy: Any) -> Iterator[None]:
    """Make layers inside with a policy; that of before holds again behind it.

    Args:
        policy: A name such as "float32", or a `keras.DTypePolicy`.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
