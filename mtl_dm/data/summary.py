"""What a set of sources is annotated for, known before training starts."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from mtl_dm.labels import check_class_rows, check_labels, refuse
from mtl_dm.tasks import Kind, Task, by_name

Annotations = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""Labels and masks by task name, as `label_arrays` gives them, with or without `one_hot`."""

_SHOWN = 12
"""Names that a warning lists."""


@dataclasses.dataclass(frozen=True)
class Summary:
    """Counts over sources.

    Attributes:
        annotated: By task name, the number of images annotated for it.
        base_rates: By task name and label, the share of annotated images that have it; NaN
            where the label is never annotated. Mean values for a regression task.
        kinds: By task name, the kind of the task.
    """

    annotated: dict[str, int]
    base_rates: dict[str, dict[str, float]]
    kinds: dict[str, Kind] = dataclasses.field(default_factory=dict)

    def lines(self) -> list[str]:
        """Return the summary as text: a line a task, then the warnings."""
        counts = [
            f"{name}: {count} annotated images; "
            + ", ".join(f"{label} {rate:.2f}" for label, rate in self.base_rates[name].items())
            for name, count in self.annotated.items()
        ]
        return counts + [f"Warning: {warning}" for warning in self.warnings()]

    def warnings(self) -> list[str]:
        """Return what no training image shows, a line a task and lack.

        These are classes and attributes without a positive training image, and attributes without
        a negative one: their labels teach a constant.
        """
        found = []
        for name, kind in self.kinds.items():
            for lack, has in _LACKS[kind].items():
                labels = [label for label, rate in self.base_rates[name].items() if has(rate)]
                if labels:
                    more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
                    found.append(f"{name}: {lack} {', '.join(labels[:_SHOWN])}{more}.")
        return found


_LACKS: dict[Kind, dict[str, Callable[[float], bool]]] = {
    "multiclass": {"no training image is of the class(es)": lambda rate: rate == 0},
    "multilabel": {
        "no training image has": lambda rate: rate == 0,
        "no training image is without": lambda rate: rate == 1,
        "no training image is annotated for": math.isnan,
    },
    "regression": {"no training image is annotated for": math.isnan},
}


def summarize(sources: Sequence[Annotations], tasks: Sequence[Task]) -> Summary:
    """Return how the sources annotate the tasks.

    Args:
        sources: Per source, labels and masks by task name (`label_arrays`).
        tasks: The tasks of the model to train.

    Raises:
        ValueError: If a task has no annotated sample in any source, a multiclass task has a
            single class only, or an annotated label breaks its rule (see `mtl_dm.labels`).
    """
    annotated, base_rates = {}, {}
    for name, task in by_name(tasks).items():
        parts = [source[name] for source in sources if name in source]
        for labels, mask in parts:
            check_labels(task, labels, mask > 0)
        count = sum(int(_rows(mask).sum()) for _, mask in parts)
        if count == 0:
            have = sorted({other for source in sources for other in source})
            raise ValueError(
                f"No training image is annotated for the task {name!r}; the sources have labels "
                f"for {have}."
            )
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
    kinds = {task.name: task.kind for task in tasks}
    return Summary(annotated, base_rates, kinds)


def _rows(mask: np.ndarray) -> np.ndarray:
    return mask > 0 if mask.ndim == 1 else mask.max(axis=1) > 0


def _totals(task: Task, labels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the sum of the annotated labels, [size]."""
    if labels.ndim == 1:
        known = mask > 0
        return np.bincount(labels[known], mask[known], minlength=task.size)
    return np.asarray((labels * (mask if mask.ndim == 2 else mask[:, None])).sum(axis=0))


def class_ids(labels: np.ndarray, mask: np.ndarray, name: str = "class") -> np.ndarray:
    """Return the classes of a multiclass task as int [N], -1 where there is none.

    Args:
        labels: Ids [N], or one-hot or soft [N, K], which count as their largest class.
        mask: [N], 0 where there is none.
        name: The task's, for messages.

    Raises:
        ValueError: If a row under mask 1 names no class: an id is negative, a row no distribution.
    """
    annotated, what = mask > 0, f"Labels of {name!r}"
    if labels.ndim == 1:
        refuse(what, "be at least 0 where annotated", labels, annotated & (labels < 0))
        return np.where(annotated, labels, -1)
    check_class_rows(what, labels, annotated)
    return np.where(annotated, labels.argmax(axis=1), -1)
