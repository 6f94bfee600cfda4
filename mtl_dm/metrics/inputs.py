"""Checks what a metric is given, before anything is counted.

Shapes: N rows, S labels of the task (K classes, M attributes or R values).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mtl_dm.labels import check_labels
from mtl_dm.tasks import Task

Array = npt.NDArray[Any]


def checked(task: Task, labels: Any, scores: Any, mask: Any) -> tuple[Array, Array, Array]:
    """Return the three arrays in a form that can be counted.

    Args:
        task: The task that the arrays belong to.
        labels: [N, S]. What stands under a zero mask is ignored, NaN included.
        scores: [N, S], logits, or values for a regression.
        mask: [N] for a multiclass task, else [N, S]; 1 = annotated, 0 = not.

    Returns:
        Labels as float64 [N, S], scores as float32 or float64 [N, S] and the mask as bool.
        Labels and scores under a zero mask are 0.

    Raises:
        ValueError: If a shape does not fit the task, there is no row, the mask holds anything but
            0 and 1, an annotated label breaks its rule (see `mtl_dm.labels`), or an annotated
            score is not finite.
    """
    # float32 holds every half-precision score exactly; anything wider stays float64, because
    # rounding would make ties that average precision sees.
    scores = np.asarray(scores)
    scores = scores.astype(np.float32 if np.can_cast(scores.dtype, np.float32) else np.float64)
    labels, mask = np.asarray(labels, dtype=np.float64), np.asarray(mask)
    _check_shapes(task, labels, scores, mask)
    annotated = _checked_mask(task, mask)
    check_labels(task, labels, annotated)
    entries = annotated if annotated.ndim == 2 else annotated[:, None]
    labels, scores = np.where(entries, labels, 0.0), np.where(entries, scores, scores.dtype.type(0))
    _check_finite(task, scores)
    return labels, scores, annotated


def _check_shapes(task: Task, labels: Array, scores: Array, mask: Array) -> None:
    if labels.ndim != 2 or labels.shape[1] != task.size:
        raise ValueError(
            f"Task {task.name!r}: labels must have shape [N, {task.size}], got {labels.shape}."
        )
    if not len(labels):
        raise ValueError(
            f"Task {task.name!r}: labels must have at least one row, got shape {labels.shape}."
        )
    if scores.shape != labels.shape:
        raise ValueError(
            f"Task {task.name!r}: scores must have the labels' shape {labels.shape}, "
            f"got {scores.shape}."
        )
    expected = (len(labels), *task.mask_shape)
    if mask.shape != expected:
        raise ValueError(f"Task {task.name!r}: mask must have shape {expected}, got {mask.shape}.")


def _checked_mask(task: Task, mask: Array) -> Array:
    annotated = mask == 1
    wrong = mask[~(annotated | (mask == 0))]
    if wrong.size:
        raise ValueError(f"Task {task.name!r}: mask must hold 0 and 1 only, got {wrong[0]}.")
    return np.asarray(annotated, dtype=bool)


def _check_finite(task: Task, scores: Array) -> None:
    wrong = np.argwhere(~np.isfinite(scores))
    if len(wrong):
        place = tuple(wrong[0])
        raise ValueError(
            f"Task {task.name!r}: scores must be finite where the mask is 1, got {scores[place]} "
            f"in row {place[0]}."
        )
