"""Built data sets whose files of records are not what was built: TensorFlow does not name them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf


@contextlib.contextmanager
def damage_named(builder: Any, split: str) -> Iterator[None]:
    """Turn TensorFlow's error about records that are read inside into one that names their files.

    Args:
        builder: Of the data set, built.
        split: That is read.

    Raises:
        ValueError: If a file of the split is damaged, cut short or gone.
        tf.errors.OpError: As raised inside, where every file is whole.
    """
    try:
        yield
    except tf.errors.OpError as error:
        found = list(_damaged(builder.info.splits[split]))
        if not found:
            raise
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise ValueError(
            f"The built data set {builder.info.full_name!r} is damaged: {found[0]}{more}. Remove "
            f"the folder {builder.data_dir} and build it again."
        ) from error


def _damaged(split: Any) -> Iterator[str]:
    """Yield every file of a split that is not whole, and how."""
    for part in split.file_instructions:
        name, want = str(part.filename), int(part.examples_in_shard)
        try:
            count = int(tf.data.TFRecordDataset(name).reduce(0, lambda count, _: count + 1))
        except tf.errors.NotFoundError:
            yield f"{name} (missing)"
        except tf.errors.OpError as error:
            yield f"{name} ({_reason(error)})"
        else:
            if count != want:
                yield f"{name} (it holds {count:,} records, not {want:,})"


def _reason(error: tf.errors.OpError) -> str:
    # "{{function_node ...}} corrupted record at 12 [Op:ReduceDataset]"
    return str(error.message).rpartition("}} ")[2].partition(" [Op:")[0].strip()
