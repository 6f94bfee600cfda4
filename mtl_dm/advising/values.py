"""What labels say of real values beside classes, in words and tables.

Shapes: N images, K classes, R values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from mtl_dm import data
from mtl_dm.advising.text import Section
from mtl_dm.relatedness import russell
from mtl_dm.reporting.tables import ABSENT
from mtl_dm.tasks import Task

HARDLY_ANY = 0.02
"""Share of a value's variance between classes that training could not notice."""


Relation = Literal["none", "counted", "learned"]
"""How a class and values are to be coupled: not, by moments of their labels, or by learned ones."""


class Labelled(NamedTuple):
    """Labels of all data sets, one after the other.

    Attributes:
        ids: int [N], -1 where the class is missing.
        values: [N, R], NaN where a value is missing.
    """

    ids: np.ndarray
    values: np.ndarray


class Values(NamedTuple):
    """What labels say of a regression beside classes.

    Attributes:
        task: The regression.
        seen: The labels.
        explained: Share of the variance of each value that lies between classes, NaN: not known.
        counts: Images with both labels, by class.
    """

    task: Task
    seen: Labelled
    explained: list[float]
    counts: np.ndarray

    @property
    def relation(self) -> Relation:
        """How to couple them."""
        if not np.isnan(self.explained).all() and np.nanmax(self.explained) < HARDLY_ANY:
            return "none"
        return "counted" if self.counts.min() > self.task.size else "learned"


def look(annotations: Sequence[data.Annotations], classes: Task, task: Task) -> Values:
    """Return what labels say of a regression.

    Args:
        annotations: Per data set, labels and masks by task name.
        classes: The multiclass task beside it.
        task: The regression.
    """
    seen = _labelled(annotations, classes, task)
    both = (seen.ids >= 0) & ~np.isnan(seen.values).any(axis=1)
    explained = [explained_share(seen.ids, column) for column in seen.values.T]
    return Values(task, seen, explained, np.bincount(seen.ids[both], minlength=classes.size))


def value_advice(
    annotations: Sequence[data.Annotations], classes: Task, tasks: Sequence[Task]
) -> tuple[list[Section], list[str]]:
    """Return a section and a recommendation for each regression.

    Args:
        annotations: Per data set, labels and masks by task name.
        classes: The multiclass task that values may be coupled with.
        tasks: All tasks.
    """
    found, recommended = [], []
    for task in tasks:
        if task.kind == "regression":
            looked = look(annotations, classes, task)
            found.append(_section(classes, looked))
            recommended.append(_recommended(classes, looked))
    return found, recommended


def explained_share(ids: np.ndarray, values: np.ndarray) -> float:
    """Return the share of a value's variance that lies between classes, corrected for chance.

    Source: Kelley 1935, epsilon squared, 1 - (n - 1) / (n - k) (1 - eta^2), with n images and k
    classes that occur among them: eta^2 is above 0 also where classes say nothing.

    Args:
        ids: int [N], -1 where the class is missing.
        values: [N], NaN where the value is missing.

    Returns:
        At most 1; below 0 by chance; NaN where images are too few or the value does not vary.
    """
    both = (ids >= 0) & ~np.isnan(values)
    known, y = np.unique(ids[both], return_inverse=True)[1], values[both]
    k = len(np.unique(known))
    if len(y) <= k or np.ptp(y) == 0:
        return float("nan")
    counts = np.bincount(known)
    means = np.bincount(known, weights=y) / counts
    within = np.square(y - means[known]).sum() / np.square(y - y.mean()).sum()
    return float(1 - within * (len(y) - 1) / (len(y) - k))


def _labelled(annotations: Sequence[data.Annotations], classes: Task, task: Task) -> Labelled:
    ids, values = [], []
    for arrays in annotations:
        size = len(next(iter(arrays.values()))[1])
        known = arrays.get(classes.name)
        ids.append(np.full(size, -1) if known is None else data.class_ids(*known))
        labels, mask = arrays.get(task.name, (np.zeros((size, task.size)),) * 2)
        values.append(np.where(mask > 0, labels, np.nan))
    return Labelled(np.concatenate(ids), np.concatenate(values))


def _section(classes: Task, looked: Values) -> Section:
    task, seen, explained, _ = looked
    has_class, known = seen.ids >= 0, ~np.isnan(seen.values)
    some = known.any(axis=1)
    lines = [
        f"{some.sum():,} of {len(some):,} images have a value, {(some & has_class).sum():,} of "
        f"these a class of `{classes.name}` too."
    ]
    table = [["value", "annotated", "with class", "mean", "deviation", "between classes"]]
    for place, name in enumerate(task.labels):
        own = seen.values[known[:, place], place]
        spread = ["", ""] if not len(own) else [f"{own.mean():.3f}", f"{own.std():.3f}"]
        share = explained[place]
        both = (known[:, place] & has_class).sum()
        told = ABSENT if np.isnan(share) else f"{share:.0%}"
        table.append([name, f"{len(own):,}", f"{both:,}", *spread, told])
        if len(own) and np.ptp(own) == 0:
            lines.append(f"`{name}` is the same on every labelled image: it teaches a constant.")
    return Section(f"Values of {task.name}", lines, table)


def _recommended(classes: Task, looked: Values) -> str:
    task, counts = looked.task, looked.counts
    pair = f"`{classes.name}` and `{task.name}`"
    if looked.relation == "none":
        return (
            f"Leave {pair} uncoupled: less than {HARDLY_ANY:.0%} of a value's variance lies "
            "between classes."
        )
    if looked.relation == "counted":
        return (
            f"Couple {pair} by moments counted on the {counts.sum():,} images with both labels: "
            f'`--coupling="affect(relation=inferred:DATA, source={classes.name}, '
            f'target={task.name})"`, or `mtl_dm.relatedness.moments_from_annotations`. Values then '
            "teach the class where it is missing, and classes the values."
        )
    known = "" if not counts.any() else f" ({counts.min()} of the rarest class)"
    published = (
        ", or start from `learned:russell`, published coordinates, unchecked"
        if set(russell().values) <= set(task.labels)
        else ""
    )
    return (
        f"{pair}: too few images have both labels to count moments{known}. "
        f'`--coupling="affect(relation=learned, source={classes.name}, target={task.name})"` '
        f"learns them in training{published}; labels alone cannot say whether that helps."
    )
