"""Sources one after another, to measure on: every image once, in order."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import tensorflow as tf

from mtl_dm.data.merging import completed, union


def joined(sources: Sequence[tf.data.Dataset]) -> tf.data.Dataset:
    """Return the elements of several sources, one source after the other.

    Tasks that a source lacks and another one has are added under a zero mask, as by `merge`.

    Args:
        sources: Unbatched (input, labels, masks) of known size that fit each other.

    Raises:
        ValueError: If there is none, or their inputs or the labels of a task do not fit.
    """
    if not sources:
        raise ValueError("joined needs at least one source, got none.")
    if len(sources) == 1:
        return sources[0]
    specs = union(sources)
    streams = [completed(source, *specs) for source in sources]
    return functools.reduce(lambda first, second: first.concatenate(second), streams)
