"""A raw release as its reader understands it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from mtl_dm.datasets.reading.items import Item
from mtl_dm.tasks import Task


@dataclasses.dataclass(frozen=True)
class Release:
    """What a reader found in the source folder; nothing is read until a split is called.

    Attributes:
        root: The folder that image paths are relative to and may not leave.
        splits: Split -> function that starts a new pass over the split's items, in a fixed order.
            Together the passes account for every row of the release.
        listed: Folders under `root` in which every image should have a row.
        published: Split -> number of rows published.
        facts: What the reader has to say, such as which release it is.
        warnings: What it found unusual.
        tasks: What rows are labelled for; a check and a build print how often each label is there.
        lines: About how many rows there are, to say how long a check takes; None: as published.
    """

    root: Path
    splits: Mapping[str, Callable[[], Iterable[Item]]]
    listed: tuple[str, ...] = (".",)
    published: Mapping[str, int] = dataclasses.field(default_factory=dict)
    facts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = ()
    lines: int | None = None

    @property
    def expected(self) -> int | None:
        """About how many rows there are; None: nobody says."""
        if self.lines is None and set(self.splits) <= set(self.published):
            return sum(self.published[split] for split in self.splits)
        return self.lines
