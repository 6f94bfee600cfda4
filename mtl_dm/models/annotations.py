"""Labels and masks of a batch, completed for the tasks of a model."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from keras import ops

from mtl_dm.losses import require_shape
from mtl_dm.losses.virtual import VIRTUAL
from mtl_dm.tasks import Task


def completed(
    tasks: Mapping[str, Task],
    labels: Mapping[str, Any],
    masks: Mapping[str, Any] | None,
    logits: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return finite labels and masks for every task of a model, and what else a batch has.

    Args:
        tasks: By name.
        labels: By task name; a task that is missing counts as not annotated.
        masks: By task name; one that is missing, or None, as all annotated.
        logits: By task name, [B, size].

    Raises:
        ValueError: If labels or masks are no dictionaries, a shape does not fit its task, or a name
            is misspelt.
    """
    for what, value in (("Labels", labels), ("Masks", {} if masks is None else masks)):
        if not isinstance(value, Mapping):
            raise ValueError(
                f"{what} must be a dictionary by task name, got {type(value).__name__}; "
                f"tasks: {list(tasks)}."
            )
    _check_keys(tasks, labels, {} if masks is None else masks)
    full_labels, full_masks = dict(labels), dict(masks or {})
    for name, task in tasks.items():
        scores = logits[name]
        mask_like = scores[:, 0] if task.kind == "multiclass" else scores
        label = labels.get(name)
        mask = None if masks is None else masks.get(name)
        if label is None:
            label, mask = ops.zeros_like(scores), ops.zeros_like(mask_like)
        elif mask is None:
            mask = ops.ones_like(mask_like)
        require_shape(f"labels[{name!r}]", label, tuple(scores.shape))
        require_shape(f"masks[{name!r}]", mask, tuple(mask_like.shape))
        mask = ops.cast(mask, "float32")
        annotated = mask[:, None] > 0 if task.kind == "multiclass" else mask > 0
        full_labels[name] = ops.where(annotated, ops.cast(label, "float32"), 0.0)
        full_masks[name] = mask
    return full_labels, full_masks


def _check_keys(
    tasks: Mapping[str, Task], labels: Mapping[str, Any], masks: Mapping[str, Any]
) -> None:
    """Refuse labels and masks that nothing reads because their name is misspelt.

    Raises:
        ValueError: If no label is of a task, a name looks like that of a task that is missing,
            or a mask is of no label.
    """
    names = list(tasks)
    if labels and not set(names) & set(labels):
        raise ValueError(f"None of the labels {sorted(labels)} is of a task; tasks: {names}.")
    if (VIRTUAL in labels) != (VIRTUAL in masks):
        raise ValueError(
            f"{VIRTUAL!r} says which rows of a batch are blends: it must be among the labels and, "
            "as the weight of each part, among the masks."
        )
    missing = [name for name in names if name not in labels]
    for key in sorted({*labels, *masks} - {*names, VIRTUAL}):
        near = difflib.get_close_matches(key, missing, n=1, cutoff=0.8)
        if near:
            raise ValueError(
                f"The batch has {key!r}, which is no task, and lacks {near[0]!r}: is it "
                f"misspelt? Tasks: {names}."
            )
        if key not in labels:
            raise ValueError(f"The batch has a mask {key!r} without such labels; tasks: {names}.")
