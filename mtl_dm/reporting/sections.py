"""The Markdown blocks of a report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mtl_dm.reporting.bars import label_bars
from mtl_dm.reporting.findings import comparison_table, warnings
from mtl_dm.reporting.measured import Measured
from mtl_dm.reporting.plots import change_plot
from mtl_dm.reporting.spec import ReportSpec
from mtl_dm.reporting.tables import Table, label_table, main_table, published_table

TUNED = "_tuned"
"""Ends the names of metrics at chosen thresholds, as `mtl_dm.metrics.with_tuned` writes them."""
PUBLISHED_MARK = "Published in the paper (other data, other network; not measured here)"


def render(table: Table) -> str:
    """Return a Markdown table; a pipe inside a cell is escaped."""
    lines = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in table]
    rule = ["---"] + ["---:"] * (len(lines[0]) - 1)
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]])


def bullets(lines: Sequence[str]) -> str:
    """Return a Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def _file_name(*parts: str) -> str:
    """Return a file name from names that may hold spaces and slashes; distinct ones may clash."""
    return re.sub(r"[^A-Za-z0-9]+", "-", "-".join(parts)).strip("-").lower()


def interval_note(measured: Measured, frame: pd.DataFrame, spec: ReportSpec) -> str:
    """Return what mean, ± and Δm of the main table are; Markdown."""
    changes = "; ".join(
        f"{task} ({', '.join(names)})"
        for task, names in (spec.change_metrics or spec.main_metrics).items()
    )
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
    text = f"In percent: mean ± half width of the 95% confidence interval over {how}. "
    if max(counts, default=0) == 1:
        text = "In percent. **One seed: no confidence interval can be given.** "
    baseline = f"Δm is the mean relative change against {spec.baseline_row}"
    return f"{text}{baseline}, paired by repeat, over {changes}.{_threshold_note(measured, spec)}"


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


def _plots(
    folder: Path, frame: pd.DataFrame, spec: ReportSpec, index: int
) -> tuple[str, list[str]]:
    column = spec.columns[index]
    # The index keeps columns apart whose names differ in punctuation only.
    stem = f"{index + 1}-{_file_name(column)}"
    name = f"changes-{stem}.png"
    change = name if change_plot(frame, spec, folder / name, column=column) else ""
    bars = []
    for task, metric in spec.per_label:
        name = f"labels-{stem}-{_file_name(task, metric)}.png"
        drawn = label_bars(frame, spec, folder / name, task, metric, column=column)
        bars.append(name if drawn else "")
    return change, bars


def column_section(folder: Path, frame: pd.DataFrame, spec: ReportSpec, index: int) -> list[str]:
    """Return the Markdown blocks of one column, and draw its plots into `folder`.

    Args:
        folder: The run folder.
        frame: The long frame of the study.
        spec: What to show.
        index: Which of the spec's columns.

    Raises:
        ValueError: If the spec names a published table or column that does not exist.
    """
    column = spec.columns[index]
    lines = frame[frame["column"] == column]
    measured = Measured(frame, column, spec.test_train_ratio)
    blocks = [f"## {column}"]
    if lines.empty:
        blocks.append("No cell of this column is finished.")
    else:
        datasets = ", ".join(f"`{name}`" for name in sorted(set(lines["dataset"])))
        blocks.append(f"### Measured here, on {datasets}")
    blocks += [render(main_table(measured, spec)), interval_note(measured, lines, spec)]
    change, bars = _plots(folder, frame, spec, index)
    if change:
        blocks.append(f"![Changes against {spec.baseline_row}]({change})")
    printed = published_table(spec, column)
    if printed:
        blocks += [f"### {PUBLISHED_MARK}", render(printed)]
        blocks.append(
            'Percent, as printed in the paper, never measured here; ± is its "spread". '
            "Δm (%) is computed from the printed numbers."
        )
    for (task, metric), image in zip(spec.per_label, bars, strict=True):
        if measured.labels(task, metric):
            blocks += [f"### {task}: {metric} of each label"]
            blocks += [render(label_table(measured, spec, task, metric))]
            blocks += [
                'Percent, means over repeats; "always yes" is the F1 2p / (1 + p) of that answer '
                "at base rate p."
            ]
            blocks += [f"![{metric} of each label]({image})"] if image else []
    return blocks if lines.empty else blocks + _findings(measured, spec)


def _findings(measured: Measured, spec: ReportSpec) -> list[str]:
    blocks = ["### Findings", bullets(warnings(measured, spec))]
    others = dict.fromkeys((spec.baseline_row, spec.uncoupled_row))
    tables = [table for other in others if (table := comparison_table(measured, spec, other))]
    if not tables:
        return [*blocks, f"No row shares a seed with {' or '.join(others)}: nothing to compare."]
    return [
        *blocks,
        *map(render, tables),
        "In points, paired by repeat, ± half width of the 95% interval of the difference; * marks "
        "an interval that excludes 0. Each interval stands alone: no correction for the number "
        "of comparisons. A difference without ± rests on one repeat and has no interval.",
    ]
