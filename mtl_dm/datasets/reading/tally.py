"""Counts labels by name, for people to look at."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mtl_dm.tasks import Task

_SHOWN = 40
_ENDS = 10
_BATCH = 4096

# What tables write for "missing" where only numbers fit: far outside of all others.
_SENTINELS = tuple(sign * (10.0**digits - 1) for digits in range(2, 7) for sign in (-1, 1))
_FAR = 5.0


class Tally:
    """Counts the labels of rows, or of examples, as they pass.

    Args:
        tasks: What is counted; other labels are left alone.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._counts = {
            task.name: (_Values(task) if task.kind == "regression" else _Flags(task))
            for task in tasks
        }
        self._waiting: list[Mapping[str, Any]] = []

    def add(self, labels: Mapping[str, Any]) -> None:
        """Count the labels of one row; a task that is left out is missing."""
        self._waiting.append({name: labels[name] for name in self._counts if name in labels})
        if len(self._waiting) == _BATCH:
            self._count()

    @property
    def lines(self) -> list[str]:
        """A line a task: its labels, and in how many rows each is."""
        self._count()
        return [str(counts) for counts in self._counts.values()]

    @property
    def warnings(self) -> list[str]:
        """Values that are probably marks for "missing"."""
        self._count()
        return [line for counts in self._counts.values() for line in counts.warnings()]

    def _count(self) -> None:
        for name, counts in self._counts.items():
            values = [row[name] for row in self._waiting if name in row]
            counts.add(values, len(self._waiting) - len(values))
        self._waiting = []


class _Flags:
    """Of a multiclass task, whose labels are ids, or of a multilabel one."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._active = np.zeros(task.size, np.int64)
        self._annotated = np.zeros(task.size, np.int64)
        self._missing = 0

    def add(self, values: Sequence[Any], absent: int) -> None:
        self._missing += absent
        if not values:
            return
        array = np.asarray(values)
        if array.ndim == 1:
            known = array[array >= 0]
            self._active += np.bincount(known, minlength=self._task.size)
            self._missing += len(array) - len(known)
            return
        self._active += (array == 1).sum(axis=0)
        self._annotated += (array >= 0).sum(axis=0)
        self._missing += int((array < 0).all(axis=1).sum())

    def warnings(self) -> Iterator[str]:
        yield from ()

    def __str__(self) -> str:
        counts = dict(zip(self._task.labels, self._active.tolist(), strict=True))
        if self._task.kind == "multilabel":
            known = dict(zip(self._task.labels, self._annotated.tolist(), strict=True))
            texts = {name: f"{count:,} of {known[name]:,}" for name, count in counts.items()}
            texts = {name: text for name, text in texts.items() if known[name]}
        else:
            texts = {name: f"{count:,}" for name, count in counts.items()}
        return f"{self._task.name}: {_shown(texts, counts)}; {self._missing:,} not annotated."


class _Values:
    """Of a regression task."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._parts: list[dict[float, int]] = [{} for _ in task.labels]  # sentinels
        self._low = np.full(task.size, math.inf)
        self._high = np.full(task.size, -math.inf)
        self._known = np.zeros(task.size, np.int64)
        self._missing = 0

    def add(self, values: Sequence[Any], absent: int) -> None:
        self._missing += absent
        if not values:
            return
        array = np.asarray(values, dtype=np.float64)
        present = ~np.isnan(array)
        self._known += present.sum(axis=0)
        self._missing += int((~present).all(axis=1).sum())
        marks = np.isin(array, _SENTINELS)
        for place, part in enumerate(self._parts):
            for value in array[marks[:, place], place].tolist():
                part[value] = part.get(value, 0) + 1
        usual = present & ~marks
        self._low = np.minimum(self._low, np.where(usual, array, math.inf).min(axis=0))
        self._high = np.maximum(self._high, np.where(usual, array, -math.inf).max(axis=0))

    def warnings(self) -> Iterator[str]:
        for name, part, low, high in zip(
            self._task.labels, self._parts, self._low, self._high, strict=True
        ):
            largest = max(abs(low), abs(high))
            for value, count in sorted(part.items()):
                if low <= high and abs(value) > _FAR * largest:
                    yield (
                        f"{self._task.name}: {name} is {value:g} in {count:,} row(s), and from "
                        f"{low:g} to {high:g} in all others: a mark for missing values? Taken for "
                        "a value; leave a cell empty where nothing is annotated."
                    )

    def __str__(self) -> str:
        texts = {}
        for place, name in enumerate(self._task.labels):
            if self._known[place]:
                low = min([float(self._low[place]), *self._parts[place]])
                high = max([float(self._high[place]), *self._parts[place]])
                texts[name] = f"{self._known[place]:,} from {low:g} to {high:g}"
        return f"{self._task.name}: {_shown(texts, {})}; {self._missing:,} not annotated."


def _shown(texts: Mapping[str, str], counts: Mapping[str, int]) -> str:
    """Return names with their numbers; of many, those at both ends."""
    shown = {_plain(name): text for name, text in texts.items()}
    if not shown:
        return "no label"
    if len(shown) <= _SHOWN:
        return ", ".join(map(" ".join, shown.items()))
    names = sorted(texts, key=lambda name: -counts.get(name, 0))
    most, least = ([f"{_plain(n)} {texts[n]}" for n in part] for part in _both_ends(names))
    return f"{len(texts):,} labels, most {', '.join(most)}, ..., least {', '.join(least)}"


def _both_ends(names: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    return names[:_ENDS], names[-_ENDS:]


def _plain(name: str) -> str:
    """Return a name as it is, in quotes where it would not be seen for what it is."""
    simple = name.isprintable() and name == " ".join(name.split()) and "," not in name
    return name if simple and name else repr(name)
