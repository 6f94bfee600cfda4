"""The rows of labels.csv."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mtl_dm.datasets.csv_folder._schema import RANGES, TABLE, Schema
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
from mtl_dm.datasets.reading.names import is_missing_mark, is_perhaps_missing
from mtl_dm.datasets.reading.subjects import SPLITS
from mtl_dm.tasks import Task

T = TypeVar("T")

# A table tool writes 1.0 where a column of whole numbers has gaps.
_FLAGS = {"1": 1, "0": 0, "1.0": 1, "0.0": 0, "": MISSING}

# A number that many tables write for "missing", where it is none that may stand there.
_CODE = re.compile(r"(-\d+|9{2,})(\.0*)?", re.ASCII)


def lines(source: Path, schema: Schema) -> Iterator[Line | BadLine]:
    """Yield the lines of the table."""
    return read_table(source / TABLE, schema.columns)


def class_names(source: Path, schema: Schema) -> dict[str, Counter[str]]:
    """Return the classes that the rows name and how often, where a task's classes are not fixed.

    Raises:
        ValueError: If the table is malformed as a whole.
    """
    names: dict[str, Counter[str]] = {task: Counter() for task in schema.open_classes}
    if names:
        for line in lines(source, schema):
            if isinstance(line, Line):
                for task, found in names.items():
                    found[line[schema.labels[task][""]]] += 1
    for found in names.values():
        del found[""]  # not annotated
    return names


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
        if cells[""] not in task.positions:
            expected = ", ".join(task.labels[:20])
            raise ValueError(
                f"class:{task.name} is {cells['']!r}; expected one of {expected}{_hint(cells[''])}"
            )
        return task.positions[cells[""]]
    if task.kind == "multilabel":
        flags = {
            name: _or_hint(flag, f"attribute:{task.name}:{name}", text, _FLAGS)
            for name, text in cells.items()
        }
        return in_order(flags, task.labels)
    low, high = RANGES.get(task.name, (-math.inf, math.inf))
    values = {
        name: _or_hint(number, f"value:{task.name}:{name}", text, low, high)
        for name, text in cells.items()
        if text
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
        ValueError: If there is none: the split could not be disjoint in subjects.
    """
    if is_missing_mark(line["subject"]):
        is_what = repr(line["subject"]) if line["subject"] else "empty"
        raise ValueError(
            f"subject is {is_what}; expected one in every row (or no column 'subject')"
        )
    return line["subject"]


def _or_hint(read: Callable[..., T], what: str, text: str, *rule: Any) -> T:
    """Return what a cell says; the error about a mark for "missing" says how to write that."""
    try:
        return read(what, text, *rule)
    except ValueError as error:
        raise ValueError(f"{error}{_hint(text)}") from error


def _hint(text: str) -> str:
    missing = is_missing_mark(text) or is_perhaps_missing(text) or _CODE.fullmatch(text)
    return "; leave the cell empty where nothing is annotated" if missing else ""
