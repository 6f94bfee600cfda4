"""The rows of every batch that this process trains on, where several share a training.

Mostly it makes no others (`batch_parts`); where a mix needs the whole batch, that is cut here.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from mtl_dm import processes


def require_even_part(batches: tf.data.Dataset) -> None:
    """Check that this process's devices get as many rows each of what it makes of every batch.

    Args:
        batches: Its parts, whose rows are known.

    Raises:
        ValueError: If they do not.
    """
    places = processes.places()
    if places is None:
        return
    _, _, local = places
    rows = {leaf.shape[0] for leaf in tf.nest.flatten(batches.element_spec)} - {None}
    if any(each % local for each in rows):
        raise ValueError(
            f"The rows that a process makes of a batch must be a multiple of its {local} devices, "
            f"got {sorted(rows)}. mix_augment needs a batch_size that is a multiple of twice the "
            "devices of all processes."
        )


def training_part(batches: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
    """Return this process's rows of every global batch, where all of them were made.

    A batch is cut by the rows that it has: augmentation may have made more of them than
    `batch_size` (real images beside mixed ones).

    Args:
        batches: The global batches, the same in every process, all of them full.
        batch_size: The rows of a batch as it was merged.

    Raises:
        ValueError: If `batch_size` or the rows of a batch do not divide evenly among the devices
            of all processes, or the parts of a batch differ in rows. Rows that are known only
            when a batch comes raise `tf.errors.InvalidArgumentError` then, with the same text.
    """
    places = processes.places()
    if processes.own_rows(batch_size) is None or places is None:
        return batches
    devices, first, local = places

    def rows_of(*batch: Any) -> Any:
        each = _require_even(batch, devices, batch_size) // devices
        part = slice(first * each, (first + local) * each)
        return tf.nest.map_structure(lambda tensor: tensor[part], batch)

    return batches.map(rows_of)


def _require_even(batch: Any, devices: int, batch_size: int) -> Any:
    """Return the rows of a batch after checking that every device gets as many of them."""
    even = f"The rows of a batch must be a multiple of the {devices} devices of all processes"
    same = "All parts of a batch must have the same rows"
    tensors = tf.nest.flatten(batch)
    known = {tensor.shape[0] for tensor in tensors}
    if None not in known:
        if len(known) > 1:
            raise ValueError(f"{same}, got {sorted(known)}.")
        (rows,) = known
        if rows % devices:
            # Three rows of two: a multiple of twice the devices, and no other, divides evenly.
            mixed = (
                f" The option mix made {rows} rows of the {batch_size} of batch_size; mix_augment "
                f"needs a batch_size that is a multiple of {2 * devices}."
            )
            raise ValueError(f"{even}, got {rows}.{mixed if rows != batch_size else ''}")
        return rows
    rows = tf.shape(tensors[0])[0]
    checks = [tf.debugging.assert_equal(rows % devices, 0, f"{even}.")]
    checks += [
        tf.debugging.assert_equal(tf.shape(tensor)[0], rows, f"{same}.") for tensor in tensors[1:]
    ]
    with tf.control_dependencies(checks):
        return tf.identity(rows)
