"""The rows of labels.csv."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtl_dm.datasets.csv_folder._schema import TABLE, Schema
from mtl_dm.datasets.reading import (
    MISSING,
    BadLine,
    Line,
    Row,
    Skipped,
    clean,
    flag,
    in_order,
    number,
    read_table,
)
from mtl_dm.tasks import Task

SPLITS = ("train", "validation", "test")

# A table tool writes 1.0 where a column of whole numbers has gaps.
_FLAGS = {"1": 1, "0": 0, "1.0": 1, "0.0": 0, "": MISSING}


def lines(source: Path, schema: Schema) -> Iterator[Line | BadLine]:
    """Yield the lines of the table."""
    return read_table(source / TABLE, schema.columns)


def class_names(source: Path, schema: Schema) -> dict[str, list[str]]:
    """Return the sorted classes that the rows name, for tasks whose classes are not fixed.

    Raises:
        ValueError: If a task has fewer than two, or the table is malformed as a whole.
    """
    names: dict[str, set[str]] = {task: set() for task in schema.open_classes}
    if names:
        for line in lines(source, schema):
            if isinstance(line, Line):
                for task, found in names.items():
                    found.add(line[schema.labels[task][""]])
    for task, found in names.items():
        found.discard("")
        if len(found) < 2:
            raise ValueError(
                f"{source / TABLE}: the column 'class:{task}' names {len(found)} class(es), "
                "expected at least 2."
            )
    return {task: sorted(found) for task, found in names.items()}


def to_row(line: Line, schema: Schema, tasks: Sequence[Task]) -> Row | Skipped:
    """Return what a line stands for; one without any label is skipped.

    Raises:
        ValueError: If a cell breaks its column's rule.
    """
    path = clean(line["path"])
    labels: dict[str, Any] = {}
    for task in tasks:
        cells = {label: line[column] for label, column in schema.labels[task.name].items()}
        if any(cells.values()):
            labels[task.name] = _label(task, cells)
    if not labels:
        return Skipped(path, f"{line.where}: no label")
    return Row(path, {**labels, "subject": line.get("subject")}, line.where)


def _label(task: Task, cells: Mapping[str, str]) -> Any:
    if task.kind == "multiclass":
        if cells[""] not in task.labels:
            expected = ", ".join(task.labels[:20])
            raise ValueError(f"class:{task.name} is {cells['']!r}; expected one of {expected}")
        return task.labels.index(cells[""])
    if task.kind == "multilabel":
        flags = {
            name: flag(f"attribute:{task.name}:{name}", text, _FLAGS)
            for name, text in cells.items()
        }
        return in_order(flags, task.labels)
    values = {
        name: number(f"value:{task.name}:{name}", text) for name, text in cells.items() if text
    }
    return np.array([values.get(name, np.nan) for name in task.labels], dtype=np.float32)


def given_split(line: Line) -> str:
    """Return the split that the column `split` names.

    Raises:
        ValueError: If it is none.
    """
    if line["split"] not in SPLITS:
        raise ValueError(f"split is {line['split']!r}; expected one of {', '.join(SPLITS)}")
    return line["split"]


def given_subject(line: Line) -> str:
    """Return the subject of a line.

    Raises:
        ValueError: If it is empty: the split could not be disjoint in subjects.
    """
    if not line["subject"]:
        raise ValueError("subject is empty; expected one in every row (or no column 'subject')")
    return line["subject"]
