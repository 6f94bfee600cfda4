"""Reads a user's folder: labels.csv and the images that it names."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from mtl_dm.datasets.csv_folder import _names as names
from mtl_dm.datasets.csv_folder import _subjects as subjects
from mtl_dm.datasets.csv_folder._lines import why_too_little
from mtl_dm.datasets.csv_folder._rows import (
    class_names,
    given_split,
    given_subject,
    lines,
    to_row,
)
from mtl_dm.datasets.csv_folder._schema import TABLE, Schema, read_schema
from mtl_dm.datasets.csv_folder._splits import ByImage
from mtl_dm.datasets.reading import BadLine, Item, Line, Release, clean, parse
from mtl_dm.datasets.reading.subjects import SEED, SPLITS, by_subject
from mtl_dm.tasks import Task

T = TypeVar("T")

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
        warnings: What is doubtful about names, subjects and splits.
    """

    source: Path
    schema: Schema
    tasks: tuple[Task, ...]
    split_of: Callable[[Line], str]
    present: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def makes_splits(self) -> bool:
        """Whether the table leaves the splits to us."""
        return "split" not in self.schema.columns

    def release(self) -> Release:
        """Return the folder as a release."""
        has_subjects = "subject" in self.schema.columns
        how = "by subject" if has_subjects else "by image"
        made = f"Splits are made here, {how}, with seed {SEED}."
        kinds = (f"{task.name} ({task.kind}, {task.size})" for task in self.tasks)
        return Release(
            self.source,
            {split: functools.partial(self._rows, split) for split in self.present},
            facts=(f"Tasks: {', '.join(kinds)}.", *([made] if self.makes_splits else [])),
            warnings=self.warnings,
            tasks=self.tasks,
            lines=_count_lines(self.source / TABLE),
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


def _count_lines(table: Path) -> int:
    """Return how many lines a table has, the header left out; one in quotes may be several."""
    with table.open("rb") as file:
        return max(sum(1 for _ in file) - 1, 0)


def tasks_in(source: Path) -> tuple[Task, ...]:
    """Return the tasks of a folder.

    Raises:
        FileNotFoundError: If it has no table.
        ValueError: If the header, the classes or the lines break a rule.
    """
    return _tasks(source, read_schema(source))[0]


def open_folder(source: Path) -> Folder:
    """Return a folder with its splits.

    Raises:
        FileNotFoundError: If it has no table.
        ValueError: If header, classes, lines or subjects break a rule, or there are no rows.
    """
    schema = read_schema(source)
    tasks, warnings = _tasks(source, schema)
    split_of, present, more = _splits(source, schema)
    return Folder(source, schema, tasks, split_of, present, (*warnings, *more))


def _tasks(source: Path, schema: Schema) -> tuple[tuple[Task, ...], list[str]]:
    """Return the tasks, and warnings about the names of their labels."""
    classes = class_names(source, schema)
    wrong = names.errors(schema, classes)
    if wrong:
        raise ValueError("\n".join(f"{source / TABLE}: {line}" for line in wrong))
    with _true_reason(source, schema, lambda line: line):
        names.require_two(classes)
    tasks = schema.tasks({task: sorted(own) for task, own in classes.items()})
    return tasks, names.doubts(schema, classes)


def _splits(
    source: Path, schema: Schema
) -> tuple[Callable[[Line], str], tuple[str, ...], list[str]]:
    """Return line -> split, the splits that have rows, and warnings."""
    has_subjects = "subject" in schema.columns
    if "split" in schema.columns:
        used = set(_readable(source, schema, given_split))
        found = _readable(source, schema, _subject_and_split) if has_subjects else iter(())
        # Without any, one split must still report the bad lines.
        present = tuple(split for split in SPLITS if split in used) or SPLITS[:1]
        return given_split, present, subjects.shared(found)
    if has_subjects:
        with _true_reason(source, schema, given_subject):
            counts = Counter(_readable(source, schema, given_subject))
            splits = _by_subject(counts)
        return lambda line: splits[given_subject(line)], SPLITS, subjects.spellings(counts)
    images = ByImage()
    with _true_reason(source, schema, _path):
        for path in _readable(source, schema, _path):
            images.add(path)
        split_of = images.rule()
    return lambda line: split_of(_path(line)), SPLITS, [_BY_IMAGE]


def _by_subject(counts: Mapping[str, int]) -> dict[str, str]:
    try:
        return by_subject(counts)
    except ValueError as error:
        raise ValueError(f"{error}; add a column 'split'.") from error


@contextlib.contextmanager
def _true_reason(source: Path, schema: Schema, read: Callable[[Line], Any]) -> Iterator[None]:
    """Let an error about all rows be one about the lines that could not be read, if there are any.

    Raises:
        ValueError: In place of another one; names the table.
    """
    try:
        yield
    except ValueError as error:
        items = parse(lines(source, schema), read)
        reasons = why_too_little(items, source / TABLE, len(schema.columns))
        raise ValueError("\n".join(reasons) or f"{source / TABLE}: {error}") from error


def _subject_and_split(line: Line) -> tuple[str, str]:
    return line["subject"], given_split(line)


def _readable(source: Path, schema: Schema, function: Callable[[Line], T]) -> Iterator[T]:
    return (
        item for item in parse(lines(source, schema), function) if not isinstance(item, BadLine)
    )


def _path(line: Line) -> str:
    return clean(line["path"])
