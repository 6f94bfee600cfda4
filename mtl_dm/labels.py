"""What a label must be where it is annotated. No TensorFlow here.

Missing is, in arrays without a mask: class id -1, a class row that holds NaN, an attribute that is
-1 or NaN, a value that is NaN. Where there is a mask, missing is mask 0 and nothing else: what
stands under it is ignored, and what stands under mask 1 must be a label.

Shapes: N rows, S labels of the task (K classes, M attributes or R values).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mtl_dm.tasks import Task

Array = npt.NDArray[Any]

SUM_TOLERANCE = 0.02
"""How far from 1 a class row may sum: what rounding to two digits or half precision leaves."""

_ROWS = 65_536
"""Rows looked at in one go: memory beyond the labels' own does not grow with their number."""


def check_labels(task: Task, labels: Array, annotated: Array, first: int = 0) -> None:
    """Check every annotated label of a task.

    Args:
        task: Says what a label may be: a class a distribution over the classes or the id of one,
            an attribute in [0, 1], a value of a regression finite and within its bounds.
        labels: [N, S], or class ids [N].
        annotated: bool, [N] for classes, else [N, S]. Labels that are not are ignored.
        first: Number of the first row, for messages.

    Raises:
        ValueError: If a label breaks its rule; the message names task, rule and row.
    """
    what = f"Labels of {task.name!r}"
    if task.kind == "multiclass" and labels.ndim == 2:
        check_class_rows(what, labels, annotated, first)
        return
    hint = ""
    if task.kind == "regression":
        rule, fits = "be finite", np.isfinite(labels)
        if task.bounds is not None:
            low, high = task.bounds
            rule, fits = f"lie in [{low:g}, {high:g}]", (labels >= low) & (labels <= high)
            hint = " Marks for missing values, such as -2 and -5 of databases, are NaN here."
    else:
        highest = task.size - 1 if task.kind == "multiclass" else 1
        rule, fits = f"lie in [0, {highest}]", (labels >= 0) & (labels <= highest)
    refuse(what, f"{rule} where annotated", labels, annotated & ~fits, first, hint)


def check_class_rows(what: str, rows: Array, annotated: Array, first: int = 0) -> None:
    """Check that annotated rows [N, K] are distributions over the classes.

    A row of zeros has no largest class: counting it would count it as the first one.

    Args:
        what: What the message calls them.
        rows: One-hot or soft.
        annotated: bool [N].
        first: As for `check_labels`.

    Raises:
        ValueError: If an entry is negative or a sum differs from 1 by more than `SUM_TOLERANCE`.
    """
    with np.errstate(invalid="ignore", over="ignore"):  # Whatever stands where nothing counts.
        sums = rows.sum(axis=1, dtype=np.float64)
        fit = (rows.min(axis=1) >= 0) & (np.abs(sums - 1) <= SUM_TOLERANCE)
    rule = f"be distributions over the classes (entries >= 0 that sum to 1 within {SUM_TOLERANCE})"
    hint = " The row of an image without a class is NaN, or under mask 0."
    refuse(what, rule, rows, annotated & ~fit, first, hint)


def check_class_ids(what: str, ids: Array, size: int) -> None:
    """Check class ids [N] that no mask goes with.

    Args:
        what: What the message calls them.
        ids: -1 where the class is missing.
        size: K.

    Raises:
        ValueError: If one is neither -1 nor from 0 to K - 1.
    """
    refuse(what, f"lie in [-1, {size - 1}]", ids, (ids < -1) | (ids >= size))


def check_absence(what: str, values: Array) -> None:
    """Check that attributes do not say "absent" by -1, which means missing.

    Attributes without a single 0 teach nothing: all that is annotated is present. A part of a
    set that does hold positives only says what is missing by NaN.

    Args:
        what: What the message calls them.
        values: [N, M]; 1 present, 0 absent, -1 or NaN missing.

    Raises:
        ValueError: If an attribute holds both 1 and -1, and none holds 0 or anything between.
    """
    present, minus = (np.zeros(values.shape[1:], bool) for _ in range(2))
    for start in range(0, len(values), _ROWS):
        part = values[start : start + _ROWS]
        if ((part > -1) & (part < 1)).any():
            return
        if values.shape[1] > 1:  # A row of -1 alone is an image without labels.
            part = part[(part != -1).any(axis=1)]
        present |= (part == 1).any(axis=0)
        minus |= (part == -1).any(axis=0)
    if (present & minus).any():
        raise ValueError(
            f"{what} hold 1 and -1 and never 0: -1 means missing, so that every label "
            "would be present. Write 0 for absent, labels == 1; if -1 does mean missing, write NaN."
        )


def refuse(
    what: str, rule: str, labels: Array, wrong: Array, first: int = 0, hint: str = ""
) -> None:
    """Raise for the first wrong label, if there is any.

    Args:
        what: What the message calls them.
        rule: What they must do: "lie in [0, 1]".
        labels: [N] or [N, S].
        wrong: bool, [N] for whole rows, else the shape of `labels`.
        first: Number of the first row.
        hint: What helps.

    Raises:
        ValueError: If one is wrong.
    """
    places = np.argwhere(wrong)
    if not len(places):
        return
    value = labels[tuple(places[0])]
    shown = value if np.ndim(value) == 0 else np.array2string(value, threshold=12, edgeitems=4)
    unit = "value(s)" if wrong.ndim == labels.ndim else "row(s)"
    raise ValueError(
        f"{what} must {rule}, got {shown} in row {first + places[0][0]} "
        f"({len(places)} such {unit}).{hint}"
    )
