"""From the items of a split to TFDS examples, one image at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mtl_dm.datasets.reading.duplicates import Duplicates
from mtl_dm.datasets.reading.images import load_jpeg
from mtl_dm.datasets.reading.items import Row, Skipped
from mtl_dm.datasets.reading.parallel import ordered_map
from mtl_dm.datasets.reading.paths import clean, inside
from mtl_dm.datasets.reading.release import Release
from mtl_dm.datasets.reading.tally import Tally
from mtl_dm.datasets.reading.values import MISSING
from mtl_dm.tasks import Task

Example = tuple[str, dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Examples:
    """The examples of one split: a stream with a length, for TFDS's progress bar.

    Attributes:
        split: Name of the split.
        release: Where it comes from.
        rows: Number of the split's items, skipped ones counted.
        missing: Labels of a row that has none, by feature.
        size: (width, height) that every image must have, or None.
        duplicates: Tells repeated rows; shared by all splits.
        skip: Takes what is skipped.
        tally: Counts the labels of all splits.
        counted: Takes the tally after the split's last example.
    """

    split: str
    release: Release
    rows: int
    missing: Mapping[str, Any]
    size: tuple[int, int] | None
    duplicates: Duplicates
    skip: Callable[[Skipped], None]
    tally: Tally
    counted: Callable[[Tally], None]

    def __len__(self) -> int:
        return self.rows

    def __iter__(self) -> Iterator[Example]:
        """Yield key and features of every usable row, in the order of the release.

        Raises:
            ValueError: If no row is usable; TFDS would fail without saying why.
        """
        built = 0
        last: Skipped | None = None
        items = self.duplicates.without(self.release.splits[self.split]())
        for result in ordered_map(self._example, items):
            if isinstance(result, Skipped):
                last = result
                self.skip(result)
            else:
                built += 1
                self.tally.add(result[1])
                yield result
        if not built:
            raise ValueError(
                f"The split {self.split!r} is empty: none of its {self.rows:,} row(s) can be "
                f"used; the last: {last.path}, {last.reason}."
                if last
                else f"The split {self.split!r} has no rows."
            )
        self.counted(self.tally)

    def _example(self, item: Row | Skipped) -> Example | Skipped:
        if isinstance(item, Skipped):
            return item
        root = self.release.root
        try:
            image = load_jpeg(inside(root, clean(item.path)), item.box, self.size)
        except ValueError as error:
            return Skipped(item.path, str(error))
        return item.identity, {
            **self.missing,
            **item.labels,
            # As bytes: TFDS copies a JPEG untouched and encodes arrays only.
            "image": image,
            "path": item.path,
        }


def missing_labels(tasks: Sequence[Task]) -> dict[str, Any]:
    """Return the labels of an image that is annotated for none of the tasks."""
    labels: dict[str, Any] = {}
    for task in tasks:
        if task.kind == "multiclass":
            labels[task.name] = MISSING
        elif task.kind == "multilabel":
            labels[task.name] = np.full(task.size, MISSING, dtype=np.int8)
        else:
            labels[task.name] = np.full(task.size, np.nan, dtype=np.float32)
    return labels
