"""Sources whose elements are made of something smaller, which is shuffled in their place.

A photo as stored is a fiftieth of its pixels. Shuffled before it is decoded, a buffer takes little
memory and is filled at once, and decoding goes on from one pass to the next; shuffled after, every
pass begins with a buffer's worth of decoding for which the training waits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

_PARTS = "_mtl_dm_parts"


def deferred(stored: tf.data.Dataset, make: Callable[..., Any], size: int) -> tf.data.Dataset:
    """Return the source of `size` elements that `make` makes of stored ones.

    To any reader it is an ordinary data set; `parts_of` gives back what it is made of. Whatever is
    derived from it (`map`, `take`) is ordinary altogether.
    """
    source = stored.map(make, num_parallel_calls=tf.data.AUTOTUNE)
    source = source.apply(tf.data.experimental.assert_cardinality(size))
    setattr(source, _PARTS, (stored, make))
    return source


def parts_of(source: tf.data.Dataset) -> tuple[tf.data.Dataset, Callable[..., Any] | None]:
    """Return what to shuffle of a source, and the function from there to its elements, if any."""
    stored, make = getattr(source, _PARTS, (source, None))
    return stored, make
