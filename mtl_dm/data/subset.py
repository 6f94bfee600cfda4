"""A data set that is annotated for some of a task's labels, as one of the whole task.

Six of seven expressions, 12 of 17 action units: class ids are counted anew, attributes and values
that the data set does not know are missing. Raw labels here: what is missing is -1, of real values
NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_dm.tasks import Task


def fits(own: Task, task: Task) -> bool:
    """Return whether a data set with the task `own` is annotated for `task` or a part of it."""
    # Two orders of the same labels are more likely a mistake than a choice.
    part = set(own.labels) < set(task.labels) or own.labels == task.labels
    return own.kind == task.kind and part


def widest(tasks: Sequence[Task]) -> Task | None:
    """Return the first task that all the others fit; None: there is none.

    Args:
        tasks: Of one name, one a data set.
    """
    return next((task for task in tasks if all(fits(own, task) for own in tasks)), None)


def widened(own: Task, task: Task, values: Any) -> Any:
    """Return raw labels of a data set as those of a task that may have more labels.

    Args:
        own: The data set's task; it fits `task`.
        task: The wanted one.
        values: Array or tensor: class ids [...], else [..., size of `own`].

    Returns:
        A tensor of the same type if `values` is one, else an array: class ids of `task`, or
        [..., size of `task`].
    """
    if own.labels == task.labels:
        return values
    tensor = isinstance(values, tf.Tensor)
    kind = values.dtype.as_numpy_dtype if tensor else values.dtype
    take, concatenate = (tf.gather, tf.concat) if tensor else (np.take, np.concatenate)
    if task.kind == "multiclass":
        places = np.array([task.positions[label] for label in own.labels] + [-1], kind)
        # The last place is that of a missing label, -1.
        return take(places, values % len(places))
    columns = [own.positions.get(each, own.size) for each in task.labels]
    missing = np.nan if task.kind == "regression" else -1
    nothing = np.full((*values.shape[:-1], 1), missing, kind)
    return take(concatenate([values, nothing], -1), columns, axis=-1)
