"""A source from arrays in memory, for notebooks, features and tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_dm.tasks import Task, by_name


def from_arrays(inputs: Any, labels: Mapping[str, Any], tasks: Sequence[Task]) -> tf.data.Dataset:
    """Return a source of (input, labels, masks) for `merge`.

    Args:
        inputs: Array [N, ...] or a dictionary of such arrays.
        labels: By task name, with missing labels marked as in a built data set: class ids int [N]
            (-1 missing) or one-hot/soft [N, K] (a row with NaN is missing) for multiclass,
            [N, M] with -1 or NaN missing for multilabel, [N, R] with NaN missing for regression.
            Tasks left out are not annotated in this source.
        tasks: The tasks that `labels` may name.

    Raises:
        ValueError: If a task is unknown, an array has the wrong length or shape, an input is
            NaN, or a label is out of range.
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
    pairs = {name: encode(known[name], np.asarray(labels[name]), length) for name in labels}
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
        ValueError: If the shape does not fit or an annotated label is out of range.
    """
    if task.kind == "multiclass" and values.ndim == 1:
        _require_shape(task, values, (length,))
        if not np.issubdtype(values.dtype, np.integer):
            raise ValueError(f"Labels of {task.name!r} must be integers, got {values.dtype}.")
        _require_range(task, values, -1, task.size - 1)
        mask = values >= 0
        if not one_hot:
            return values.astype(np.int64), mask.astype(np.float32)
        # No identity matrix: with the 10,177 identities of CelebA it alone would take 400 MB.
        labels = np.zeros((length, task.size), np.float32)
        labels[np.flatnonzero(mask), values[mask]] = 1.0
        return labels, mask.astype(np.float32)
    values = values.astype(np.float32)
    _require_shape(task, values, (length, task.size))
    if task.kind == "multiclass":
        mask = ~np.isnan(values).any(axis=1)
        labels = np.where(mask[:, None], values, 0.0)
        _require_range(task, labels, 0, 1)
    elif task.kind == "multilabel":
        mask = ~np.isnan(values) & (values != -1)
        labels = np.where(mask, values, 0.0)
        _require_range(task, labels, 0, 1)
    else:
        mask = ~np.isnan(values)
        labels = np.where(mask, values, 0.0)
        _require_range(
            task, labels, float(np.finfo(np.float32).min), float(np.finfo(np.float32).max)
        )
    return labels.astype(np.float32), mask.astype(np.float32)


def _first_nan(array: np.ndarray) -> int:
    return int(np.argwhere(np.isnan(array))[0][0])


def _require_shape(task: Task, values: np.ndarray, shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise ValueError(f"Labels of {task.name!r} must have shape {shape}, got {values.shape}.")


def _require_range(task: Task, values: np.ndarray, low: float, high: float) -> None:
    wrong = np.argwhere((values < low) | (values > high))
    if len(wrong):
        place = tuple(wrong[0])
        raise ValueError(
            f"Labels of {task.name!r} must lie in [{low}, {high}], got {values[place]} in row "
            f"{place[0]} ({len(wrong)} such value(s))."
        )
