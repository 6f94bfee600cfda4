"""Texts that both reports share, and pieces of Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from mtl_dm.reporting.across import LEAST
from mtl_dm.reporting.comparisons import gives_levels
from mtl_dm.reporting.measured import Measured
from mtl_dm.reporting.page.view import ColumnView
from mtl_dm.reporting.spec import ReportSpec
from mtl_dm.reporting.tables import Table
from mtl_dm.reporting.verdict import verdict

TUNED = "_tuned"
"""Ends the names of metrics at chosen thresholds, as `mtl_dm.metrics.with_tuned` writes them."""
UNDECIDED = "What is not decided"


def render(table: Table) -> str:
    """Return a Markdown table; a pipe inside a cell is escaped."""
    lines = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in table]
    rule = ["---"] + ["---:"] * (len(lines[0]) - 1)
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]])


def bullets(lines: Sequence[str]) -> str:
    """Return a Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def interval_note(measured: Measured, frame: pd.DataFrame, spec: ReportSpec) -> str:
    """Return what mean, ± and Δm of the main table are; Markdown."""
    changes = "; ".join(f"{task} ({', '.join(names)})" for task, names in spec.changes.items())
    folds = frame["fold"].notna().any()
    how = (
        "folds and repeats, corrected for shared training data (Nadeau and Bengio 2003)"
        if folds
        else "seeds (Student's t)"
    )
    counts = [
        summary.n
        for row in spec.rows
        for t, m in spec.pairs
        if (summary := measured.summary(row, t, m))
    ]
    text = f"{_unit(spec)}: mean ± half width of the 95% confidence interval over {how}. "
    if max(counts, default=0) == 1:
        text = f"{_unit(spec)}. **One seed: no confidence interval can be given.** "
    against = " and ".join(spec.single_task_rows) if spec.single_task_rows else ""
    baseline = f"Δm is the mean relative change against {against}" + (
        ", whichever a row is compared with" if len(spec.single_task_rows) > 1 else ""
    )
    change = f"{baseline}, paired by repeat, over {changes}." if against else ""
    return f"{text}{change}{_threshold_note(measured, spec)}"


def difference_note(spec: ReportSpec) -> str:
    """Return what the paired differences and their marks are; Markdown."""
    scales = {spec.quantity(metric).scale for _, metric in spec.pairs}
    unit = "Fractions in points, other metrics as they are" if scales != {100.0} else "In points"
    return (
        f"{unit}, paired by repeat, ± half width of the 95% interval of the difference; * marks "
        "an interval that excludes 0. Each interval stands alone: no correction for the number "
        "of comparisons. A difference without ± rests on one repeat and has no interval."
    )


def _unit(spec: ReportSpec) -> str:
    scales = {spec.quantity(metric).scale for _, metric in spec.pairs}
    if scales == {100.0}:
        return "In percent"
    return "Fractions in percent, other metrics as they are" if 100.0 in scales else "As measured"


def _threshold_note(measured: Measured, spec: ReportSpec) -> str:
    tuned = [(task, metric) for task, metric in spec.pairs if metric.endswith(TUNED)]
    if not tuned:
        return ""
    if not any(measured.values(row, *pair) for row in spec.rows for pair in tuned):
        return f" `{TUNED}`: no thresholds were chosen in this column, all numbers are at 0.5."
    return (
        f" `{TUNED}`: at thresholds chosen on data held out of training, never on the test data "
        "(how: see the notes); all other numbers are at 0.5."
    )


def verdicts(views: Sequence[ColumnView], over: Sequence[str] = ()) -> tuple[list[str], list[str]]:
    """Return what stands first in a report, Markdown: sentences, and what is listed below them.

    One column has a sentence and a list; several have a line each, under their names.

    Args:
        views: The columns.
        over: What is decided over columns. It comes first; where a plan asks for it, few repeats
            of a column decide nothing, whether there is something over columns yet or not.
    """
    told = [view for view in views if not gives_levels(view.measured, view.spec)]
    said = {view.column: verdict(view.measured, view.spec) for view in told}
    what = next((view.spec.across for view in views if view.spec.across), "")
    if len(said) == 1 and not what:
        (only,) = said.values()
        return [only.sentence], only.more
    pending = [
        f"**Nothing is decided over {what} yet**: no two rows that are compared are finished in "
        f"{LEAST} of them."
    ]
    first = over or (pending if what else [])
    return [], [*first, *(f"{column}: {each.text}" for column, each in said.items())]
