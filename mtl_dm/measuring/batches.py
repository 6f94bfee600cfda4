"""The batches of a source that is measured, with the time that is left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from mtl_dm.data.batch_sizes import fitting_batch
from mtl_dm.progress import progress


def batches_of(source: tf.data.Dataset, size: int, what: str = "images measured") -> Iterator[Any]:
    """Yield a source in batches and show how far it has come.

    Args:
        source: Unbatched.
        size: Examples a batch; fewer where memory has no place for them.
        what: Is counted.
    """
    count = int(source.cardinality())
    with progress(what, count if count >= 0 else None) as done:
        for batch in source.batch(fitting_batch(source, size)).prefetch(tf.data.AUTOTUNE):
            yield batch
            done(len(tf.nest.flatten(batch)[0]))
