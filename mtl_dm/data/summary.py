"""What a set of sources is annotated for, known before training starts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from mtl_dm.tasks import Task, by_name

Annotations = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""Labels and masks by task name, as `label_arrays` gives them, with or without `one_hot`."""


@dataclasses.dataclass(frozen=True)
class Summary:
    """Counts over sources.

    Attributes:
        annotated: By task name, the number of images annotated for it.
        base_rates: By task name and label, the share of annotated images that have it; NaN
            where the label is never annotated. Mean values for a regression task.
    """

    annotated: dict[str, int]
    base_rates: dict[str, dict[str, float]]

    def lines(self) -> list[str]:
        """Return the summary as text, a line a task."""
        return [
            f"{name}: {count} annotated images; "
            + ", ".join(f"{label} {rate:.2f}" for label, rate in self.base_rates[name].items())
            for name, count in self.annotated.items()
        ]


def summarize(sources: Sequence[Annotations], tasks: Sequence[Task]) -> Summary:
    """Return how the sources annotate the tasks.

    Args:
        sources: Per source, labels and masks by task name (`label_arrays`).
        tasks: The tasks of the model to train.

    Raises:
        ValueError: If a task has no annotated sample in any source, or a multiclass task has a
            single class only.
    """
    annotated, base_rates = {}, {}
    for name, task in by_name(tasks).items():
        parts = [source[name] for source in sources if name in source]
        count = sum(int(_rows(mask).sum()) for _, mask in parts)
        if count == 0:
            raise ValueError(f"No training image is annotated for the task {name!r}.")
        # [N] masks of a multiclass task count for each of its classes.
        masks = [mask if mask.ndim == 2 else mask[:, None] for _, mask in parts]
        totals = np.sum([_totals(task, *part) for part in parts], axis=0)
        counts = sum(mask.sum(axis=0) for mask in masks) * np.ones(task.size)
        rates = np.divide(totals, counts, out=np.full(task.size, np.nan), where=counts > 0)
        if task.kind == "multiclass" and np.count_nonzero(totals) < 2:
            raise ValueError(
                f"The task {name!r} needs at least two classes in its training images, got only "
                f"{[label for label, total in zip(task.labels, totals, strict=True) if total]}."
            )
        annotated[name] = count
        base_rates[name] = dict(zip(task.labels, map(float, rates), strict=True))
    return Summary(annotated, base_rates)


def _rows(mask: np.ndarray) -> np.ndarray:
    return mask > 0 if mask.ndim == 1 else mask.max(axis=1) > 0


def _totals(task: Task, labels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the sum of the annotated labels, [size]."""
    if labels.ndim == 1:
        known = mask > 0
        return np.bincount(labels[known], mask[known], minlength=task.size)
    return np.asarray((labels * (mask if mask.ndim == 2 else mask[:, None])).sum(axis=0))


def class_ids(labels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the classes of a multiclass task as int [N], -1 where there is none.

    Args:
        labels: Ids [N], or one-hot or soft [N, K], which count as their largest class.
        mask: [N].
    """
    ids = labels if labels.ndim == 1 else labels.argmax(axis=1)
    return np.where(mask > 0, ids, -1)
