"""Table 5's claim, tested: which rows lose against single-task networks, which gain over NC MT."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from experiments.table5_rows import COUPLED, ON_BEST, SINGLE, UNCOUPLED
from mtl_dm.reporting.measured import Measured, Summary, Tested
from mtl_dm.reporting.statistics import corrected_p, holm

TASKS = (("category", "accuracy"), ("attributes", "f1"))
"""The metric that speaks for each task."""
MARGIN = 0.01
"""A loss that is no loss: one point."""


Gaps = Mapping[str, tuple[Tested, ...]]
"""By row, one a task."""


def gaps(measured: Measured, pairs: Sequence[tuple[str, str]]) -> Gaps:
    """Return rows minus others, p values adjusted over all of them and both tasks: one family.

    Args:
        measured: The column's values.
        pairs: (row, other); those that share no fold in both tasks are left out.
    """
    found = []
    for row, other in pairs:
        each = [_paired(measured, row, other, *pair) for pair in TASKS]
        if all(each):
            found.append((row, each))
    raw = [corrected_p(values) for _, each in found for values in each]
    adjusted = iter(holm(raw))
    return {
        row: tuple(
            Tested(measured.difference(row, dict(pairs)[row], *pair) or _NOTHING, next(adjusted))
            for pair in TASKS
        )
        for row, _ in found
    }


_NOTHING = Summary(math.nan, math.nan, 0)


def _paired(measured: Measured, row: str, other: str, task: str, metric: str) -> list[float]:
    ours, theirs = measured.values(row, task, metric), measured.values(other, task, metric)
    return [ours[repeat] - theirs[repeat] for repeat in sorted(ours) if repeat in theirs]


def transfer(found: Sequence[Tested]) -> str:
    """Return what a row's gaps to the single-task row say.

    "negative" names the tasks in which the loss is decided; "prevented" means that no loss of more
    than `MARGIN` is compatible with the intervals; the rest is open.

    Args:
        found: One a task, in the order of `TASKS`.
    """
    lost = [
        task
        for (task, _), gap in zip(TASKS, found, strict=True)
        if gap.decided and gap.difference.mean < 0
    ]
    if lost:
        return f"negative in {' and '.join(lost)}"
    kept = all(gap.difference.mean - gap.difference.half_width >= -MARGIN for gap in found)
    return "prevented" if kept else "open"


def verdict(frame: pd.DataFrame, column: str, rows: Sequence[str], best: str) -> str:
    """Return, as Markdown, what the finished cells say of the claim.

    Args:
        frame: Long results, as `mtl_dm.reporting.to_frame` gives them.
        column: The column.
        rows: All rows of it.
        best: The method that the last row couples.
    """
    measured = Measured(frame, column)
    single = gaps(measured, [(row, SINGLE) for row in rows if row != SINGLE])
    over = gaps(measured, [(row, UNCOUPLED) for row in rows if row not in (SINGLE, UNCOUPLED)])
    coupling = gaps(measured, [(COUPLED, UNCOUPLED), (ON_BEST, best)])
    said = {row: transfer(each) for row, each in single.items()}
    lines = [
        "Row minus the row named, in points: mean ± half width of the 95% interval, corrected for "
        "shared training data; p of the corrected resampled t test, adjusted by Holm over all rows "
        "and both tasks of a table. Negative: a decided loss. Prevented: no loss of more than "
        f"{100 * MARGIN:g} point is inside the intervals of either task. Open: neither.",
        *(f"- {kind}: {_listed(said, kind)}" for kind in ("negative", "prevented", "open")),
        _table(single, SINGLE, measured, said),
        _table(over, UNCOUPLED, measured),
        f"What coupling adds (the best method: {best}):",
        _table(coupling, f"{UNCOUPLED}; {best}", measured),
    ]
    return "\n\n".join(lines) + "\n"


def _listed(said: Mapping[str, str], kind: str) -> str:
    return ", ".join(row for row, word in said.items() if word.startswith(kind)) or "none"


def _table(
    found: Gaps, other: str, measured: Measured, said: Mapping[str, str] | None = None
) -> str:
    names = [f"{task} {metric}" for task, metric in TASKS]
    head = [f"minus {other}", *names, "Δm against ST", *(["negative transfer"] if said else [])]
    lines = [f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 1)]
    for row, each in found.items():
        change = measured.relative_change(row, SINGLE, {task: [name] for task, name in TASKS})
        cells = [row, *(gap.text for gap in each), _percent(change), *([said[row]] if said else [])]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _percent(change: Summary | None) -> str:
    if change is None:
        return "—"
    width = "" if math.isnan(change.half_width) else f" ± {change.half_width:.1f}"
    return f"{change.mean:+.1f}{width}"
