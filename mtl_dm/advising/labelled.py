"""The labels of a coupled pair of tasks over all data sets, as arrays; images stay unread."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mtl_dm import data
from mtl_dm.data.summary import Annotations
from mtl_dm.relatedness import Relatedness, Tally, count
from mtl_dm.tasks import Task


@dataclasses.dataclass(frozen=True)
class Labelled:
    """What images of several data sets, one after the other, are labelled for.

    Attributes:
        classes: The multiclass task.
        attributes: The multilabel task.
        class_ids: int [N], -1 where the class is missing.
        active: [N, M], 0 where the attribute is missing or not active.
        mask: [N, M], 1 annotated, 0 not.
        sizes: Images of each data set.
    """

    classes: Task
    attributes: Task
    class_ids: np.ndarray
    active: np.ndarray
    mask: np.ndarray
    sizes: tuple[int, ...]

    @property
    def has_class(self) -> np.ndarray:
        """Whether the class is labelled, [N]."""
        return self.class_ids >= 0

    @property
    def has_attributes(self) -> np.ndarray:
        """Whether an attribute is labelled, [N]."""
        return self.mask.max(axis=1) > 0

    def tally(self) -> Tally:
        """Return the counts of classes and attributes on images with both."""
        return count(
            self.class_ids, self.active, self.mask, self.classes.labels, self.attributes.labels
        )

    def class_counts(self) -> np.ndarray:
        """Return the images of each class, [K]."""
        return np.bincount(self.class_ids[self.has_class], minlength=self.classes.size)

    def restrict(self, relatedness: Relatedness) -> Labelled:
        """Return the labels that a relatedness names, in its order.

        An image of a class that it does not name counts as one without a class.
        """
        place = np.full(self.classes.size + 1, -1)  # The last one is read for -1.
        place[[self.classes.labels.index(name) for name in relatedness.classes]] = np.arange(
            len(relatedness.classes)
        )
        columns = [self.attributes.labels.index(name) for name in relatedness.attributes]
        return dataclasses.replace(
            self,
            classes=self.classes.replace(labels=relatedness.classes),
            attributes=self.attributes.replace(labels=relatedness.attributes),
            class_ids=place[self.class_ids],
            active=self.active[:, columns],
            mask=self.mask[:, columns],
        )


def gather(annotations: Sequence[Annotations], classes: Task, attributes: Task) -> Labelled:
    """Return the labels of all data sets.

    Args:
        annotations: Per data set, labels and masks by task name (`mtl_dm.data.label_arrays`).
        classes: The multiclass task.
        attributes: The multilabel task.

    Raises:
        ValueError: If a task has no annotated image, a single class occurs only, a data set has
            none of the tasks, or an annotated attribute is neither 0 nor 1.
    """
    data.summarize(annotations, (classes, attributes))  # Refuses what cannot be trained at all.
    ids, active, masks, sizes = [], [], [], []
    for place, arrays in enumerate(annotations):
        if not arrays:
            raise ValueError(f"Data set {place + 1} of {len(annotations)} has none of the tasks.")
        size = len(next(iter(arrays.values()))[1])
        class_ids = np.full(size, -1, np.int64)
        labels = mask = np.zeros((size, attributes.size), np.float32)
        if classes.name in arrays:
            class_ids = data.class_ids(*arrays[classes.name])
        if attributes.name in arrays:
            labels, mask = arrays[attributes.name]
        ids.append(class_ids)
        active.append(labels)
        masks.append(mask)
        sizes.append(size)
    found = Labelled(
        classes,
        attributes,
        np.concatenate(ids),
        np.concatenate(active),
        np.concatenate(masks),
        tuple(sizes),
    )
    found.tally()  # Checks that annotated attributes are 0 or 1.
    return found
