"""The supervised loss of a task, by its kind and the name of the loss.

A task loss is called as loss(task, labels, outputs, mask) with labels and outputs [B, size], mask
[B] for multiclass, else [B, size], and returns values and weights: [B] each, or a scalar each for a
loss of the whole (global) batch. L_task is their weighted mean. A mask may weigh images: what it
weighs is in the weights, or in the mean over an image's labels, never in both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from mtl_dm.losses.classification import masked_binary_cross_entropy, masked_cross_entropy
from mtl_dm.losses.regression import concordance_loss, masked_squared_error
from mtl_dm.registry import OF_YOURS, Registry
from mtl_dm.tasks import Task

TaskLoss = Callable[[Task, Any, Any, Any], tuple[Any, Any]]

TASK_LOSSES: Registry[TaskLoss] = Registry("task loss")
"""By "kind/loss": register("regression/ccc") makes `Task.regression(loss="ccc")` work."""


@TASK_LOSSES.register("multiclass/cross_entropy")
def _cross_entropy(task: Task, labels: Any, logits: Any, mask: Any) -> tuple[Any, Any]:
    weights = ops.cast(mask, "float32")
    known = ops.cast(weights > 0, "float32")
    values = masked_cross_entropy(labels, logits, known, task.label_smoothing, task.smoothing_prior)
    return values, weights


@TASK_LOSSES.register("multilabel/binary_cross_entropy")
def _binary_cross_entropy(task: Task, labels: Any, logits: Any, mask: Any) -> tuple[Any, Any]:
    weights = _annotated(mask)
    beside = ops.cast(mask, "float32") / ops.where(weights > 0, weights, 1.0)[..., None]
    return masked_binary_cross_entropy(labels, logits, beside, task.reduction), weights


@TASK_LOSSES.register("regression/squared")
def _squared(task: Task, labels: Any, predictions: Any, mask: Any) -> tuple[Any, Any]:
    del task
    return masked_squared_error(labels, predictions, mask), _annotated(mask)


@TASK_LOSSES.register("regression/ccc")
def _concordance(task: Task, labels: Any, predictions: Any, mask: Any) -> tuple[Any, Any]:
    del task
    return concordance_loss(labels, predictions, mask)


def _annotated(mask: Any) -> Any:
    return ops.max(ops.cast(mask, "float32"), axis=-1)


def require_task_loss(task: Task) -> TaskLoss:
    """Return the loss of a task.

    Raises:
        ValueError: If there is none of that name for its kind; the message lists those there are.
    """
    name = f"{task.kind}/{task.loss}"
    if name not in TASK_LOSSES:
        prefix = f"{task.kind}/"
        known = [each.removeprefix(prefix) for each in TASK_LOSSES if each.startswith(prefix)]
        raise ValueError(
            f"Task {task.name!r}: unknown loss {task.loss!r} of a {task.kind} task. "
            f"Known: {', '.join(known)}. {OF_YOURS}"
        )
    return TASK_LOSSES.get(name)


def task_loss(task: Task, labels: Any, logits: Any, mask: Any) -> tuple[Any, Any]:
    """Return the loss of each image, or of the batch, and how much each counts.

    Args:
        task: Its kind and loss pick the function.
        labels: [B, size].
        logits: [B, size].
        mask: [B] for multiclass, else [B, size].

    Returns:
        values and weights, float32, [B] or scalars; L_task is their weighted mean.

    Raises:
        ValueError: If the loss is unknown or a shape does not fit.
    """
    return require_task_loss(task)(task, labels, logits, mask)
