"""Reads a user's folder: labels.csv and the images that it names."""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from mtl_dm.datasets.csv_folder._rows import (
    SPLITS,
    class_names,
    given_split,
    given_subject,
    lines,
    to_row,
)
from mtl_dm.datasets.csv_folder._schema import TABLE, Schema, read_schema
from mtl_dm.datasets.csv_folder._splits import SEED, ByImage, by_subject
from mtl_dm.datasets.reading import BadLine, Item, Line, Release, clean, parse
from mtl_dm.tasks import Task

_BY_IMAGE = (
    "No column 'subject': images are split at random, one by one. If several show the same person "
    "or scene, results on validation and test will look better than they are."
)


@dataclasses.dataclass(frozen=True)
class Folder:
    """A user's folder.

    Attributes:
        source: The folder.
        schema: What the header says.
        tasks: The tasks, labels in canonical order.
        split_of: Line -> split.
        present: The splits that have rows.
    """

    source: Path
    schema: Schema
    tasks: tuple[Task, ...]
    split_of: Callable[[Line], str]
    present: tuple[str, ...]

    @property
    def makes_splits(self) -> bool:
        """Whether the table leaves the splits to us."""
        return "split" not in self.schema.columns

    def release(self) -> Release:
        """Return the folder as a release."""
        has_subjects = "subject" in self.schema.columns
        how = "by subject" if has_subjects else "by image"
        made = f"Splits are made here, {how}, with seed {SEED}."
        names = (f"{task.name} ({task.kind}, {task.size})" for task in self.tasks)
        return Release(
            self.source,
            {split: functools.partial(self._rows, split) for split in self.present},
            facts=(f"Tasks: {', '.join(names)}.", *([made] if self.makes_splits else [])),
            warnings=(_BY_IMAGE,) if self.makes_splits and not has_subjects else (),
        )

    def assignments(self) -> Iterator[tuple[str, str]]:
        """Yield path and split of every line that can be read."""
        for line in lines(self.source, self.schema):
            if isinstance(line, Line):
                yield clean(line["path"]), self.split_of(line)

    def _rows(self, split: str) -> Iterator[Item]:
        for item in parse(lines(self.source, self.schema), self._split_and_line):
            if isinstance(item, BadLine):
                # Each pass meets it; the first one reports it.
                if split == self.present[0]:
                    yield item
                continue
            own, line = item
            if own == split:
                yield from parse([line], self._to_row)

    def _split_and_line(self, line: Line) -> tuple[str, Line]:
        return self.split_of(line), line

    def _to_row(self, line: Line) -> Item:
        return to_row(line, self.schema, self.tasks)


def tasks_in(source: Path) -> tuple[Task, ...]:
    """Return the tasks of a folder.

    Raises:
        FileNotFoundError: If it has no table.
        ValueError: If the header or the classes break a rule.
    """
    schema = read_schema(source)
    return schema.tasks(class_names(source, schema))


def open_folder(source: Path) -> Folder:
    """Return a folder with its splits.

    Raises:
        FileNotFoundError: If it has no table.
        ValueError: If header, classes or subjects break a rule, or there are no rows.
    """
    schema = read_schema(source)
    tasks = schema.tasks(class_names(source, schema))
    split_of, present = _splits(source, schema)
    return Folder(source, schema, tasks, split_of, present)


def _splits(source: Path, schema: Schema) -> tuple[Callable[[Line], str], tuple[str, ...]]:
    if "split" in schema.columns:
        used = set(_readable(source, schema, given_split))
        # Without any, one split must still report the bad lines.
        return given_split, tuple(split for split in SPLITS if split in used) or SPLITS[:1]
    try:
        if "subject" in schema.columns:
            subjects = by_subject(Counter(_readable(source, schema, given_subject)))
            return lambda line: subjects[given_subject(line)], SPLITS
        images = ByImage()
        for path in _readable(source, schema, _path):
            images.add(path)
        split_of = images.rule()
    except ValueError as error:
        raise ValueError(f"{source / TABLE}: {error}") from error
    return lambda line: split_of(_path(line)), SPLITS


def _readable(source: Path, schema: Schema, function: Callable[[Line], str]) -> Iterator[str]:
    return (
        item for item in parse(lines(source, schema), function) if not isinstance(item, BadLine)
    )


def _path(line: Line) -> str:
    return clean(line["path"])
