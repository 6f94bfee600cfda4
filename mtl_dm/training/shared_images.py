"""Whether tasks share their images, which gradients over the features presuppose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_dm.balancing import Balancing
from mtl_dm.data import Annotations
from mtl_dm.tasks import Task


def shared_image_concerns(
    annotations: Sequence[Annotations], balancing: Balancing, tasks: Sequence[Task]
) -> list[str]:
    """Return a line where a method over features sees tasks on images of their own.

    The gradient of an image's features is one vector per task only where the image is annotated
    for both: of images with one task each, all inner products are 0, whatever the tasks want
    (the bound of MGDA-UB, Sener and Koltun 2018, section 3.3, is for common images).

    Args:
        annotations: Per source, labels and masks by task name (`mtl_dm.data.label_arrays`).
        balancing: The method.
        tasks: The tasks.

    Raises:
        ValueError: If the method takes gradients over features and no image has two tasks.
    """
    if balancing.sees != "gradients" or balancing.scope != "features" or len(tasks) < 2:
        return []
    counts = np.concatenate([_tasks_of_rows(each) for each in annotations])
    labelled, several = int((counts > 0).sum()), int((counts > 1).sum())
    method = type(balancing).__name__
    if not several:
        raise ValueError(
            f"{method} with scope=features needs images that are annotated for two tasks, but "
            f"none of {labelled:,} is: all inner products would be 0. Use scope=shared."
        )
    every = int((counts == len(tasks)).sum())
    if every == labelled:
        return []
    return [
        f"{method} with scope=features: only {every:,} of {labelled:,} annotated images have all "
        f"{len(tasks)} tasks. Inner products see no conflict on the others; scope=shared does."
    ]


def _tasks_of_rows(annotations: Annotations) -> np.ndarray:
    """Return for each row of a source the number of tasks that it has a label of."""
    masks = [mask for _, mask in annotations.values()]
    found = [mask.reshape(len(mask), -1).any(axis=1) for mask in masks]
    return np.sum(found, axis=0)
