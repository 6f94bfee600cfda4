"""A source from arrays in memory, for notebooks, features and tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_dm.labels import check_absence, check_class_ids, check_labels
from mtl_dm.tasks import Task, by_name


def from_arrays(inputs: Any, labels: Mapping[str, Any], tasks: Sequence[Task]) -> tf.data.Dataset:
    """Return a source of (input, labels, masks) for `merge`.

    A label is missing where it is marked so, and nowhere else: a one-hot row of zeros, as
    `pandas.get_dummies` makes it of a gap, names no class and is refused.

    Args:
        inputs: Array [N, ...] or a dictionary of such arrays, by the names of the backbone's
            inputs.
        labels: By task name, with missing labels marked as in a built data set: class ids int [N]
            (-1 missing) or one-hot/soft [N, K] (a row with NaN is missing) for multiclass,
            [N, M] with -1 or NaN missing for multilabel, [N, R] with NaN missing for regression.
            Tasks left out are not annotated in this source.
        tasks: The tasks that `labels` may name.

    Raises:
        ValueError: If a task is unknown, an array has the wrong length or shape, an input is
            NaN, a label breaks its rule (see `mtl_dm.labels`), or attributes are 1 and -1 only,
            which would make all of them present.
    """
    known = by_name(tasks)
    arrays = {"inputs": inputs} if not isinstance(inputs, Mapping) else inputs
    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    lengths = {len(array) for array in arrays.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"inputs must be equally long and not empty, got lengths {lengths}.")
    for name, array in arrays.items():
        if np.issubdtype(array.dtype, np.floating) and np.isnan(array).any():
            raise ValueError(f"inputs {name!r} hold NaN, first in row {_first_nan(array)}.")
    unknown = sorted(set(labels) - set(known))
    if unknown:
        raise ValueError(f"labels name unknown tasks {unknown}. Known: {sorted(known)}.")
    length = lengths.pop()
    given = {name: np.asarray(labels[name]) for name in labels}
    pairs = {name: encode(known[name], values, length) for name, values in given.items()}
    for name, values in given.items():
        if known[name].kind == "multilabel":
            check_absence(f"Labels of {name!r}", values)
    return tf.data.Dataset.from_tensor_slices(
        (
            arrays if isinstance(inputs, Mapping) else arrays["inputs"],
            {name: pair[0] for name, pair in pairs.items()},
            {name: pair[1] for name, pair in pairs.items()},
        )
    )


def encode(
    task: Task, values: np.ndarray, length: int, *, one_hot: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Return float32 labels [N, size] and masks [N] or [N, size]; labels under mask 0 are 0.

    Args:
        task: Says what `values` may be.
        values: As the argument `labels` of `from_arrays`.
        length: N.
        one_hot: Otherwise class ids stay int64 [N], -1 where the mask is 0.

    Raises:
        ValueError: If the shape does not fit or an annotated label breaks its rule.
    """
    if task.kind == "multiclass" and values.ndim == 1:
        _require_shape(task, values, (length,))
        if not np.issubdtype(values.dtype, np.integer):
            raise ValueError(
                f"Labels of {task.name!r} must be integers, got {values.dtype}; missing is -1."
            )
        check_class_ids(f"Labels of {task.name!r}", values, task.size)
        mask = values >= 0
        if not one_hot:
            return values.astype(np.int64), mask.astype(np.float32)
        # No identity matrix: with the 10,177 identities of CelebA it alone would take 400 MB.
        labels = np.zeros((length, task.size), np.float32)
        labels[np.flatnonzero(mask), values[mask]] = 1.0
        return labels, mask.astype(np.float32)
    values = values.astype(np.float32)
    _require_shape(task, values, (length, task.size))
    mask = ~np.isnan(values)
    if task.kind == "multiclass":
        mask = mask.all(axis=1)
    elif task.kind == "multilabel":
        mask &= values != -1
    check_labels(task, values, mask)
    entries = mask if mask.ndim == 2 else mask[:, None]
    return np.where(entries, values, np.float32(0)), mask.astype(np.float32)


def _first_nan(array: np.ndarray) -> int:
    return int(np.argwhere(np.isnan(array))[0][0])


def _require_shape(task: Task, values: np.ndarray, shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise ValueError(f"Labels of {task.name!r} must have shape {shape}, got {values.shape}.")
