"""What coupling gains on real faces: rows against those without it, seed by seed; the goals."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from mtl_dm.reporting.measured import ALPHA, Measured, Tested
from mtl_dm.reporting.quantities import quantity_of
from mtl_dm.reporting.statistics import holm, mean_p

Pair = tuple[str, str]
"""Task and metric."""
PLACES = {"FER2013's PublicTest": "", "unseen people of LFW": "_lfw"}
"""What a test set is called, and what stands behind a task's name there."""
METRICS = {
    "expression": ("accuracy", "average_accuracy", "ece"),
    "facial_movements": ("f1", "average_precision", "ece"),
}
PAIRS = tuple(
    (task + place, metric)
    for place in PLACES.values()
    for task, metrics in METRICS.items()
    for metric in metrics
)


@dataclasses.dataclass(frozen=True)
class Goal:
    """What a row should gain over the row without coupling; it is reported, whatever comes.

    Attributes:
        column: Of the study.
        row: The coupled row.
        least: By metric, the mean gain in points; 0: any gain.
        unharmed: Whether nothing may be decidedly worse.
    """

    column: str
    row: str
    least: Mapping[Pair, float] = dataclasses.field(default_factory=dict)
    unharmed: bool = False


Gaps = Mapping[tuple[str, Pair], Tested]
"""By row and metric."""


def gaps(frame: pd.DataFrame, column: str, against: Mapping[str, str]) -> Gaps:
    """Return rows minus others, paired by seed; p values are adjusted over the rows of a metric.

    Args:
        frame: Long results, as `mtl_dm.reporting.to_frame` gives them.
        column: The column.
        against: Row -> the row that it is compared with; pairs without a shared seed are left out.
    """
    measured = Measured(frame, column)
    found: dict[tuple[str, Pair], Tested] = {}
    for pair in PAIRS:
        differences = {
            row: gap
            for row, other in against.items()
            if (gap := measured.difference(row, other, *pair)) is not None
        }
        raw = [mean_p(_paired(measured, row, against[row], pair)) for row in differences]
        for (row, gap), p in zip(differences.items(), holm(raw), strict=True):
            found[row, pair] = Tested(gap, p)
    return found


def _gain(pair: Pair, gap: Tested) -> float:
    """Return the mean in points, positive where the row is better."""
    return 100 * quantity_of(pair[1]).sign * gap.difference.mean


def _paired(measured: Measured, row: str, other: str, pair: Pair) -> list[float]:
    ours, theirs = measured.values(row, *pair), measured.values(other, *pair)
    return [ours[repeat] - theirs[repeat] for repeat in ours if repeat in theirs]


def checked(goal: Goal, found: Gaps) -> str:
    """Return a goal, what came of it, and whether it is reached, in a line.

    Args:
        goal: The goal.
        found: Of its column.
    """
    own = {pair: gap for (row, pair), gap in found.items() if row == goal.row}
    name = f"{goal.column}, {goal.row}"
    missing = [pair for pair in goal.least if pair not in own]
    if missing or not own:
        return f"- {name}: not measured yet"
    said, kept = [], []
    for pair, least in goal.least.items():
        gain = _gain(pair, own[pair])
        kept.append(gain > 0 and gain >= least)
        wanted = f"at least {least:+g}" if least else "above 0"
        said.append(f"{' '.join(pair)} {own[pair].text}, wanted {wanted}")
    if goal.unharmed:
        lost, won = _decided(own, -1), _decided(own, 1)
        kept.append(not lost)
        said.append(f"decidedly worse in {_listed(lost)}, decidedly better in {_listed(won)}")
    return f"- {name}: {'reached' if all(kept) else 'MISSED'} ({'; '.join(said)})"


def _decided(own: Mapping[Pair, Tested], direction: int) -> list[str]:
    return [
        " ".join(pair)
        for pair, gap in own.items()
        if gap.decided and direction * _gain(pair, gap) > 0
    ]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"


def verdict(
    frame: pd.DataFrame, columns: Mapping[str, Mapping[str, str]], goals: Sequence[Goal]
) -> str:
    """Return, as Markdown, which goals are reached and what every row gains.

    Args:
        frame: Long results, as `mtl_dm.reporting.to_frame` gives them.
        columns: By column, row -> the row that it is compared with.
        goals: Those of columns that are not there are left out.
    """
    every = {column: gaps(frame, column, against) for column, against in columns.items()}
    lines = [
        "Row minus the row without what it adds, in points, paired over seeds: mean ± half width "
        "of Student's 95% interval; p of Student's t test, adjusted by Holm over the rows of a "
        f"column, metric by metric. Decided: p below {ALPHA:g}. ece: expected calibration error, "
        "lower is better. Seeds differ in weights, order and in which images are labelled.",
        "Goals, fixed before the study was run:",
        "\n".join(checked(goal, every[goal.column]) for goal in goals if goal.column in every),
    ]
    for column, found in every.items():
        lines += [f"## {column}", *_tables(columns[column], found)]
    return "\n\n".join(lines) + "\n"


def _tables(against: Mapping[str, str], found: Gaps) -> Iterator[str]:
    for name, place in PLACES.items():
        pairs = [pair for pair in PAIRS if pair[0].endswith("_lfw") == (place == "_lfw")]
        names = [f"{task.removesuffix(place)} {metric}" for task, metric in pairs]
        lines = [f"| {name} | minus | {' | '.join(names)} |", "|---|---|" + "---:|" * len(names)]
        for row, other in against.items():
            values = [found[row, pair].text if (row, pair) in found else "—" for pair in pairs]
            lines.append(f"| {row} | {other} | {' | '.join(values)} |")
        yield "\n".join(lines)
