"""Whether a row holds: its paired differences to single-task and uncoupled training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from experiments.coupling.rows import ROWS, baselines
from experiments.problems.clothing_regimes import HELD_OUT
from mtl_dm.reporting.statistics import corrected_interval, mean_interval

TOLERANCE = 0.003
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
        negative: Repetitions (means over their folds) in which the row is below the baseline.
        repetitions: How many there are.
        cells: Pairs of cells behind it.
    """

    mean: float
    plain: float
    corrected: float
    negative: int
    repetitions: int
    cells: int

    @property
    def holds(self) -> bool:
        """At least -0.3 points on average, and below 0 in at most a sixth of the repetitions."""
        return self.mean >= -TOLERANCE and 6 * self.negative <= self.repetitions


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
    repetitions = gaps.groupby("seed").mean()
    folded = gaps.index.get_level_values("fold").min() >= 0
    mean, plain = mean_interval(gaps)
    # Two halves, of which a part of the training half is held out.
    ratio = 1.0 / (1.0 - HELD_OUT)
    corrected = corrected_interval(gaps, test_train_ratio=ratio)[1] if folded else math.nan
    return Difference(
        mean, plain, corrected, int((repetitions < 0).sum()), len(repetitions), len(gaps)
    )


def differences(
    frame: pd.DataFrame, column: str, row: str, other: str
) -> dict[tuple[str, str], Difference]:
    """Return the differences in every metric that both rows have, by (task, metric)."""
    found = {}
    pairs = frame.loc[frame["column"] == column, ["task", "metric"]].drop_duplicates()
    for task, metric in pairs.itertuples(index=False):
        gap = difference(frame, column, row, other, task, metric) if metric in METRICS else None
        if gap is not None:
            found[(task, metric)] = gap
    return found


def verdict_table(frame: pd.DataFrame, columns: Sequence[str]) -> str:
    """Return, as Markdown, for each regime and coupled row what it gains and whether it holds.

    Gains are against the uncoupled row of the same attribute reduction. "holds" looks at every
    metric, against that row and against single-task training: "yes", "on average" where no mean
    is below -0.3 points but repetitions disagree, "no", or "open" while single-task training is
    missing. Beside it stands the worst metric.
    """
    lines = [
        "| regime | row | class accuracy | attribute F1 | attribute average precision | cells "
        "| holds | worst |",
        "|---|---|---:|---:|---:|---:|---|---|",
    ]
    for column in columns:
        for row, (single, uncoupled) in _COUPLED.items():
            gaps = differences(frame, column, row, uncoupled)
            if not gaps:
                continue
            classes, attributes = _tasks(gaps)
            shown = [(classes, "accuracy"), (attributes, "f1"), (attributes, "average_precision")]
            cells = " | ".join(_points(gaps.get(pair)) for pair in shown)
            against = {uncoupled: gaps, single: differences(frame, column, row, single)}
            size = max(gap.cells for gap in gaps.values())
            lines.append(f"| {column} | {row} | {cells} | {size} | {' | '.join(_said(against))} |")
    return "\n".join(lines)


def _said(against: Mapping[str, Mapping[tuple[str, str], Difference]]) -> tuple[str, str]:
    """Return whether a row holds, and its worst metric in words."""
    found = [
        (gap.mean, f"{task} {metric} against {name} {100 * gap.mean:+.1f}", gap)
        for name, gaps in against.items()
        for (task, metric), gap in gaps.items()
    ]
    mean, worst, _ = min(found, key=lambda entry: entry[0])
    if mean < -TOLERANCE:
        return "no", worst
    if not all(against.values()):
        return "open", worst
    return ("yes" if all(gap.holds for _, _, gap in found) else "on average"), worst


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
