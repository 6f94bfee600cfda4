"""What images are labelled for, of a pair of tasks over all data sets; images stay unread."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mtl_dm.data.summary import Annotations, class_ids
from mtl_dm.relatedness import Tally, count
from mtl_dm.tasks import Task


@dataclasses.dataclass(frozen=True)
class LabelledPair:
    """The labels of several data sets, one after the other.

    Attributes:
        classes: The multiclass task.
        attributes: The multilabel task.
        class_ids: int [N], -1 where the class is missing.
        active: [N, M], 0 where the attribute is missing or not active.
        mask: bool [N, M], whether the attribute is labelled.
        sizes: Images of each data set.
    """

    classes: Task
    attributes: Task
    class_ids: np.ndarray
    active: np.ndarray
    mask: np.ndarray
    sizes: tuple[int, ...]

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The labels as the functions of `mtl_dm.relatedness` take them."""
        return self.class_ids, self.active, self.mask

    @property
    def has_class(self) -> np.ndarray:
        """Whether the class is labelled, bool [N]."""
        return np.greater_equal(self.class_ids, 0)

    @property
    def has_attributes(self) -> np.ndarray:
        """Whether an attribute is labelled, bool [N]."""
        return np.asarray(self.mask.any(axis=1))

    def tally(self) -> Tally:
        """Return the counts of classes and attributes on images with both.

        Raises:
            ValueError: If a labelled attribute is neither 0 nor 1.
        """
        return count(*self.arrays, self.classes.labels, self.attributes.labels)

    def class_counts(self) -> np.ndarray:
        """Return the images of each class, [K]."""
        return np.bincount(self.class_ids[self.has_class], minlength=self.classes.size)

    def overlap(self) -> str:
        """Return how many images are labelled for both tasks, for one, and for none."""
        one, two = self.has_class, self.has_attributes
        kinds = {
            "both": one & two,
            f"`{self.classes.name}` only": one & ~two,
            f"`{self.attributes.name}` only": ~one & two,
            "neither": ~one & ~two,
        }
        parts = [f"{name} {rows.sum():,} ({rows.mean():.1%})" for name, rows in kinds.items()]
        return f"{len(one):,} images, labelled for {'; '.join(parts)}."

    def restrict(self, classes: Sequence[str], attributes: Sequence[str]) -> LabelledPair:
        """Return the labels of these names, in their order.

        An image of another class counts as one without a label: a coupling leaves it alone.

        Raises:
            ValueError: If a name is none of the tasks' labels.
        """
        place = np.full(self.classes.size + 1, -1)  # The last one is read for -1.
        place[_places(self.classes, classes)] = np.arange(len(classes))
        columns = _places(self.attributes, attributes)
        ids = place[self.class_ids]
        kept = ((ids >= 0) | ~self.has_class)[:, None]
        return dataclasses.replace(
            self,
            classes=self.classes.replace(labels=tuple(classes)),
            attributes=self.attributes.replace(labels=tuple(attributes)),
            class_ids=ids,
            active=np.where(kept, self.active[:, columns], 0.0),
            mask=self.mask[:, columns] & kept,
        )


def _places(task: Task, names: Sequence[str]) -> list[int]:
    unknown = [name for name in names if name not in task.positions]
    if unknown:
        raise ValueError(f"The task {task.name!r} has no labels {unknown}.")
    return [task.positions[name] for name in names]


def labelled_pair(
    annotations: Sequence[Annotations], classes: Task, attributes: Task
) -> LabelledPair:
    """Return the labels of two tasks over all data sets.

    Args:
        annotations: Per data set, labels and masks by task name (`mtl_dm.data.label_arrays`). What
            stands under a zero mask is ignored.
        classes: The multiclass task.
        attributes: The multilabel task.

    Raises:
        ValueError: If a data set has no task at all.
    """
    ids, active, masks = [], [], []
    for place, arrays in enumerate(annotations):
        if not arrays:
            raise ValueError(f"Data set {place + 1} of {len(annotations)} has none of the tasks.")
        size = len(next(iter(arrays.values()))[1])
        labels = mask = np.zeros((size, attributes.size), np.float32)
        if attributes.name in arrays:
            labels, mask = arrays[attributes.name]
        known = arrays.get(classes.name)
        ids.append(np.full(size, -1) if known is None else class_ids(*known))
        active.append(np.where(mask > 0, labels, 0.0).astype(np.float32))
        masks.append(mask > 0)
    return LabelledPair(
        classes,
        attributes,
        np.concatenate(ids),
        np.concatenate(active),
        np.concatenate(masks),
        tuple(len(each) for each in ids),
    )
