"""The features of a built data set, derived from its tasks: one feature a task, under its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from mtl_dm.tasks import Task


def task_features(tasks: Sequence[Task]) -> dict[str, Any]:
    """Return one TFDS feature per task.

    A multiclass label is the class id in the task's order (-1 missing), a multilabel one int8
    [M] (-1 missing), a regression one float32 [R] (NaN missing).
    """
    features: dict[str, Any] = {}
    for task in tasks:
        if task.kind == "multiclass":
            features[task.name] = tfds.features.ClassLabel(names=list(task.labels))
        elif task.kind == "multilabel":
            features[task.name] = tfds.features.Tensor(shape=(task.size,), dtype=np.int8)
        else:
            features[task.name] = tfds.features.Tensor(shape=(task.size,), dtype=np.float32)
    return features


def task_metadata(tasks: Sequence[Task], inputs: Sequence[str] = ()) -> tfds.core.MetadataDict:
    """Return the metadata that makes a built data set say which tasks it has.

    Args:
        tasks: The tasks.
        inputs: Names of the features that a network sees, where it is not the image alone.
    """
    said: dict[str, Any] = {"tasks": [task.to_dict() for task in tasks]}
    if inputs:
        said["inputs"] = list(inputs)
    return tfds.core.MetadataDict(said)


def inputs_of(info: tfds.core.DatasetInfo) -> tuple[str, ...] | None:
    """Return the features that a network sees of a data set; None: the image alone."""
    names = (info.metadata or {}).get("inputs")
    return None if names is None else tuple(names)


def tasks_of(info: tfds.core.DatasetInfo) -> tuple[Task, ...]:
    """Return the tasks of a data set from its metadata.

    Raises:
        ValueError: If the data set was not built by a builder of this package.
    """
    metadata = info.metadata or {}
    if "tasks" not in metadata:
        raise ValueError(
            f"The data set {info.full_name!r} does not say which tasks it has: its metadata needs "
            "'tasks' (see mtl_dm.datasets.task_metadata)."
        )
    return tuple(Task.from_dict(values) for values in metadata["tasks"])
