"""The supervised loss of a task, by its kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from mtl_dm.losses.classification import masked_binary_cross_entropy, masked_cross_entropy
from mtl_dm.losses.regression import masked_squared_error
from mtl_dm.registry import Registry
from mtl_dm.tasks import Task

TASK_LOSSES: Registry[Callable[[Task, Any, Any, Any], Any]] = Registry("kind of task")


@TASK_LOSSES.register("multiclass")
def _multiclass(task: Task, labels: Any, logits: Any, mask: Any) -> Any:
    return masked_cross_entropy(labels, logits, mask, task.label_smoothing)


@TASK_LOSSES.register("multilabel")
def _multilabel(task: Task, labels: Any, logits: Any, mask: Any) -> Any:
    return masked_binary_cross_entropy(labels, logits, mask, task.reduction)


@TASK_LOSSES.register("regression")
def _regression(task: Task, labels: Any, logits: Any, mask: Any) -> Any:
    del task
    return masked_squared_error(labels, logits, mask)


def task_loss(task: Task, labels: Any, logits: Any, mask: Any) -> tuple[Any, Any]:
    """Return the loss of each image and whether the image is annotated for the task.

    Args:
        task: Its kind picks the loss.
        labels: [B, size].
        logits: [B, size].
        mask: [B] for multiclass, else [B, size].

    Returns:
        values [B] and weights [B], float32; L_task is their weighted mean.

    Raises:
        ValueError: If the kind is unknown or a shape does not fit.
    """
    values = TASK_LOSSES.get(task.kind)(task, labels, logits, mask)
    mask = ops.cast(mask, "float32")
    return values, mask if task.kind == "multiclass" else ops.max(mask, axis=-1)
