"""Sources whose elements are made of something smaller, which is shuffled in their place.

A photo as stored is a fiftieth of its pixels. Shuffled before it is decoded, a buffer takes little
memory and is filled at once, and decoding goes on from one pass to the next; shuffled after, every
pass begins with a buffer's worth of decoding for which the training waits.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
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


def elements_at(source: tf.data.Dataset, places: Collection[int]) -> tf.data.Dataset:
    """Return (place, element) of some places of a source; of a deferred one no other is made.

    Args:
        source: In a fixed order; what comes after the last place is not read.
        places: At least one, from 0 on.
    """
    stored, make = parts_of(source)
    last = max(places)
    wanted = tf.scatter_nd([[place] for place in set(places)], [1] * len(set(places)), [last + 1])

    def element(place: tf.Tensor, part: Any) -> tuple[tf.Tensor, Any]:
        return place, part if make is None else make(part)

    chosen = stored.enumerate().take(last + 1).filter(lambda place, _: wanted[place] > 0)
    return chosen.map(element, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def every(source: tf.data.Dataset, step: int, first: int = 0) -> tf.data.Dataset:
    """Return every `step`-th element of a source from `first` on; no other is made.

    Args:
        source: In a fixed order.
        step: At least 1.
        first: Less than `step`.
    """
    stored, make = parts_of(source)
    chosen = stored.shard(step, first)
    return chosen if make is None else chosen.map(make, num_parallel_calls=tf.data.AUTOTUNE)
