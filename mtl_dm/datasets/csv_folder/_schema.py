"""What the header of labels.csv says: which columns mean which task."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from mtl_dm.datasets.reading import read_header
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Kind, Task

TABLE = "labels.csv"

KNOWN: Mapping[str, tuple[Kind, tuple[str, ...]]] = {
    "expression": ("multiclass", EXPRESSIONS),
    "action_units": ("multilabel", ACTION_UNITS),
    "valence_arousal": ("regression", ("valence", "arousal")),
}
"""Tasks whose labels and order are fixed."""

RANGES: Mapping[str, tuple[float, float]] = {"valence_arousal": (-1.0, 1.0)}
"""What values of known tasks lie between: -2 and -5 are what databases write for "missing"."""

KINDS: Mapping[str, Kind] = {
    "class": "multiclass",
    "attribute": "multilabel",
    "value": "regression",
}

COLUMNS = (
    "path, class:TASK, attribute:TASK:NAME, value:TASK:NAME, split, subject, or ignore:ANYTHING"
)

_RESERVED = ("image", "path", "split", "subject")


@dataclasses.dataclass(frozen=True)
class Schema:
    """The columns of a table.

    Attributes:
        columns: All columns, in the order of the file.
        labels: Task -> label -> column; a multiclass task has one column, under "".
        kinds: Task -> kind.
    """

    columns: tuple[str, ...]
    labels: Mapping[str, Mapping[str, str]]
    kinds: Mapping[str, Kind]

    @property
    def open_classes(self) -> list[str]:
        """The multiclass tasks whose classes only the rows can tell."""
        return [
            task for task, kind in self.kinds.items() if kind == "multiclass" and task not in KNOWN
        ]

    def tasks(self, classes: Mapping[str, Sequence[str]]) -> tuple[Task, ...]:
        """Return the tasks, labels in canonical order.

        Args:
            classes: Classes of the tasks in `open_classes`.

        Raises:
            ValueError: If a task has fewer than two classes, or its name cannot be one.
        """
        found = []
        for task, kind in self.kinds.items():
            if task in KNOWN:
                labels: Sequence[str] = KNOWN[task][1]
            else:
                labels = classes[task] if kind == "multiclass" else tuple(self.labels[task])
            found.append(Task(task, kind, tuple(labels), bounds=RANGES.get(task)))
        return tuple(found)


def read_schema(source: Path) -> Schema:
    """Return what the header of `labels.csv` says.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a column's name breaks the convention; names file, column and rule.
    """
    path = source / TABLE
    if not path.is_file():
        raise FileNotFoundError(f"{source} has no {TABLE}; expected the columns {COLUMNS}.")
    columns = read_header(path)
    try:
        return _schema(columns)
    except ValueError as error:
        raise ValueError(f"{path}, line 1: {error}") from error


def _schema(columns: Sequence[str]) -> Schema:
    if "path" not in columns:
        separator = next((mark for mark in ";\t" if mark in "".join(columns)), None)
        hint = f"; the columns seem to be separated by {separator!r}" if separator else ""
        raise ValueError(f"no column 'path' (found {list(columns)[:8]}){hint}.")
    labels: dict[str, dict[str, str]] = {}
    kinds: dict[str, Kind] = {}
    for column in columns:
        if column in ("path", "split", "subject") or column.startswith("ignore:"):
            continue
        kind, task, label = _parse(column)
        if kinds.setdefault(task, kind) != kind:
            raise ValueError(f"{column!r}: the task {task!r} has columns of another kind, too.")
        if label in labels.setdefault(task, {}):
            raise ValueError(f"the header names {column!r} twice.")
        labels[task][label] = column
    if not labels:
        raise ValueError(f"no column has labels; expected {COLUMNS}.")
    return Schema(tuple(columns), labels, kinds)


def _parse(column: str) -> tuple[Kind, str, str]:
    """Return kind, task and label that a column's name stands for."""
    if not column:
        raise ValueError(
            "a column has no name: row numbers, which R writes unless told row.names=FALSE and "
            f"pandas unless told index=False, or a comma at the end? Expected {COLUMNS}."
        )
    prefix, *rest = (part.strip() for part in column.split(":"))
    if prefix not in KINDS or len(rest) != (1 if prefix == "class" else 2) or not all(rest):
        raise ValueError(f"unknown column {column!r}; expected {COLUMNS}.")
    kind, task, label = KINDS[prefix], rest[0], rest[1] if len(rest) > 1 else ""
    if not task.isidentifier() or task in _RESERVED:
        raise ValueError(
            f"{column!r}: {task!r} cannot be a task; expected letters, digits and underscores, "
            f"and none of {', '.join(_RESERVED)}."
        )
    if task in KNOWN:
        known_kind, known = KNOWN[task]
        if kind != known_kind:
            word = next(word for word, entry in KINDS.items() if entry == known_kind)
            raise ValueError(f"{column!r}: {task!r} is known as a task of {word}: columns.")
        if label and label not in known:
            raise ValueError(f"{column!r}: {task!r} knows only {', '.join(known)}.")
    return kind, task, label
