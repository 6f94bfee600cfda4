"""Whether a row holds: its paired differences to single-task and uncoupled training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from experiments.coupling.rows import ROWS, baselines
from experiments.problems.clothing_regimes import HELD_OUT
from mtl_dm.reporting.statistics import (
    corrected_interval,
    corrected_p,
    holm,
    mean_interval,
    mean_p,
)

TOLERANCE = 0.003
ALPHA = 0.05
KEYS = ["seed", "fold"]
METRICS = ("accuracy", "average_accuracy", "f1", "average_precision", "afa", "f1_tuned")
_COUPLED = {
    row: (found.single_task, found.uncoupled)
    for row in ROWS
    if (found := baselines(row)).single_task is not None and found.uncoupled is not None
}
"""Coupled row -> its single-task and its uncoupled baseline."""


class Difference(NamedTuple):
    """A row minus a baseline, as fractions, over the cells that both have.

    Attributes:
        mean: Over cells.
        plain: Half width of Student's 95% interval over cells.
        corrected: Half width corrected for shared training data (Nadeau, Bengio 2003).
        p: Of the test of the corrected interval, where there is one, else of the plain one.
        cells: Pairs of cells behind it.
    """

    mean: float
    plain: float
    corrected: float
    p: float
    cells: int


def difference(
    frame: pd.DataFrame, column: str, row: str, other: str, task: str, metric: str
) -> Difference | None:
    """Return a row minus another one; None where they share no cell.

    Args:
        frame: Long results, as `mtl_dm.reporting.to_frame` gives them.
        column: The regime.
        row: The row.
        other: The row that it is compared with.
        task: Name of the task.
        metric: Name of the metric.
    """
    chosen = frame[
        (frame["column"] == column) & (frame["task"] == task) & (frame["metric"] == metric)
    ].assign(fold=lambda cells: cells["fold"].fillna(-1))
    values = chosen[chosen["row"].isin([row, other])].pivot_table(
        index=KEYS, columns="row", values="value"
    )
    if row not in values or other not in values:
        return None
    gaps = (values[row] - values[other]).dropna()
    if gaps.empty:
        return None
    folded = gaps.index.get_level_values("fold").min() >= 0
    mean, plain = mean_interval(gaps)
    if not folded:
        return Difference(mean, plain, math.nan, mean_p(gaps), len(gaps))
    # Two halves, of which a part of the training half is held out.
    ratio = 1.0 / (1.0 - HELD_OUT)
    corrected = corrected_interval(gaps, test_train_ratio=ratio)[1]
    return Difference(mean, plain, corrected, corrected_p(gaps, ratio), len(gaps))


def differences(
    frame: pd.DataFrame, column: str, row: str, other: str
) -> dict[tuple[str, str], Difference]:
    """Return the differences in every metric that both rows have, by (task, metric)."""
    both = frame[(frame["column"] == column) & frame["row"].isin([row, other])]
    both = both[both["metric"].isin(METRICS)]
    if both["row"].nunique() < 2:
        return {}
    found = {}
    for task, metric in both[["task", "metric"]].drop_duplicates().itertuples(index=False):
        gap = difference(both, column, row, other, task, metric)
        if gap is not None:
            found[(task, metric)] = gap
    return found


class Judged(NamedTuple):
    """One difference of a row, judged among those of all rows of its column.

    Attributes:
        other: The row that it is compared with.
        task: Name of the task.
        metric: Name of the metric.
        gap: The difference.
        p: Of it, adjusted by Holm over the coupled rows of the column in this metric against their
            single-task, or their uncoupled, rows.
    """

    other: str
    task: str
    metric: str
    gap: Difference
    p: float

    @property
    def decided(self) -> bool:
        """Whether the adjusted p is below 0.05."""
        return self.p < ALPHA


def judged(frame: pd.DataFrame, column: str) -> dict[str, list[Judged]]:
    """Return, by coupled row, its differences in every metric against both baselines.

    Args:
        frame: Long results, as `mtl_dm.reporting.to_frame` gives them.
        column: The regime.
    """
    found: dict[str, list[Judged]] = {}
    for place in (0, 1):
        families: dict[tuple[str, str], list[tuple[str, str, Difference]]] = {}
        for row, baselines_of_row in _COUPLED.items():
            other = baselines_of_row[place]
            for pair, gap in differences(frame, column, row, other).items():
                families.setdefault(pair, []).append((row, other, gap))
        for (task, metric), family in families.items():
            adjusted = holm(gap.p for _, _, gap in family)
            for (row, other, gap), p in zip(family, adjusted, strict=True):
                found.setdefault(row, []).append(Judged(other, task, metric, gap, p))
    return found


def verdict_table(frame: pd.DataFrame, columns: Sequence[str]) -> str:
    """Return, as Markdown, for each regime and coupled row what it gains and whether it holds.

    Gains are against the uncoupled row of the same attribute reduction. "holds" looks at every
    metric, against that row and against single-task training: "no" where one is decided to be
    lower, "yes" where none is and no mean is below -0.3 points, else, or while single-task training
    is missing, "open". Beside it stand how many differences are decided, and the worst metric.
    """
    lines = [
        "| regime | row | class accuracy | balanced class accuracy | attribute F1 "
        "| attribute average precision | cells | holds | higher, lower, all | worst |",
        "|---|---|---:|---:|---:|---:|---:|---|---|---|",
    ]
    for column in columns:
        found = judged(frame, column)
        for row, (single, uncoupled) in _COUPLED.items():
            every = found.get(row, [])
            gaps = {(e.task, e.metric): e.gap for e in every if e.other == uncoupled}
            if not gaps:
                continue
            classes, attributes = _tasks(gaps)
            shown = [
                (classes, "accuracy"),
                (classes, "average_accuracy"),
                (attributes, "f1"),
                (attributes, "average_precision"),
            ]
            cells = " | ".join(_points(gaps.get(pair)) for pair in shown)
            size = max(gap.cells for gap in gaps.values())
            said = " | ".join(_said(every, any(e.other == single for e in every)))
            lines.append(f"| {column} | {row} | {cells} | {size} | {said} |")
    return "\n".join(lines)


def _said(every: Sequence[Judged], complete: bool) -> tuple[str, str, str]:
    """Return whether a row holds, how much of it is decided, and its worst metric in words."""
    lowest = min(every, key=lambda each: each.gap.mean)
    worst = f"{lowest.task} {lowest.metric} against {lowest.other} {100 * lowest.gap.mean:+.1f}"
    decided = [each.gap.mean for each in every if each.decided]
    lower = sum(mean < 0 for mean in decided)
    counts = f"{len(decided) - lower}, {lower}, {len(every)}"
    if lower:
        return "no", counts, worst
    return ("yes" if complete and lowest.gap.mean >= -TOLERANCE else "open"), counts, worst


def _tasks(gaps: dict[tuple[str, str], Difference]) -> tuple[str, str]:
    """Return the name of the class task and of the attribute task."""
    classes = next(task for task, metric in gaps if metric == "average_accuracy")
    return classes, next(task for task, _ in gaps if task != classes)


def _points(gap: Difference | None) -> str:
    if gap is None:
        return "—"
    text = f"{100 * gap.mean:+.1f}"
    if not math.isnan(gap.plain):
        text += f" ± {100 * gap.plain:.1f}"
    return text if math.isnan(gap.corrected) else f"{text} ({100 * gap.corrected:.1f})"


def gains(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return regime, row, x, y: the change in class accuracy and attribute average precision."""
    points = []
    for column in columns:
        for row, (_, uncoupled) in _COUPLED.items():
            found = differences(frame, column, row, uncoupled)
            if not found:
                continue
            classes, attributes = _tasks(found)
            pair = found.get((classes, "accuracy")), found.get((attributes, "average_precision"))
            if pair[0] is not None and pair[1] is not None:
                points.append((column, row, 100 * pair[0].mean, 100 * pair[1].mean))
    return pd.DataFrame(points, columns=["column", "row", "x", "y"]).astype(
        {"x": np.float64, "y": np.float64}
    )
