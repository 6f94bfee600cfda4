"""One column of report.md, and the pictures beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from mtl_dm.files import write_atomically
from mtl_dm.reporting.beside import published_table
from mtl_dm.reporting.comparisons import comparison_table, gives_levels
from mtl_dm.reporting.findings import undecided, warnings
from mtl_dm.reporting.page.changes import changes
from mtl_dm.reporting.page.labels import label_bars, label_note
from mtl_dm.reporting.page.picture import Titled, picture
from mtl_dm.reporting.page.view import ColumnView
from mtl_dm.reporting.sections import UNDECIDED, bullets, difference_note, interval_note, render
from mtl_dm.reporting.tables import label_table, main_table

PUBLISHED_MARK = "Published in the paper (other data, other network; not measured here)"
_LABELS_ACROSS = 4


def column_section(folder: Path, view: ColumnView, lines: pd.DataFrame, number: int) -> list[str]:
    """Return the Markdown blocks of one column, and draw its pictures into `folder`.

    Args:
        folder: The run folder.
        view: The column.
        lines: Its lines of the long frame.
        number: Keeps files apart whose columns differ in punctuation only.

    Raises:
        ValueError: If the spec names a published table or column that does not exist.
    """
    spec, measured = view.spec, view.measured
    blocks = [f"## {view.column}"]
    if lines.empty:
        blocks.append("No cell of this column is finished.")
    else:
        datasets = ", ".join(f"`{name}`" for name in sorted(set(lines["dataset"])))
        blocks.append(f"### Measured here, on {datasets}")
    blocks += [render(main_table(measured, spec)), interval_note(measured, lines, spec)]
    stem = f"{number}-{_file_name(view.column)}"
    blocks += _changes(folder, view, stem)
    printed = published_table(spec, view.column)
    if printed:
        blocks += [f"### {PUBLISHED_MARK}", render(printed)]
        blocks.append(
            'As printed in the paper, never measured here; ± is its "spread". '
            "Δm (%) is computed from the printed numbers."
        )
    for task, metric in spec.per_label:
        blocks += _labels(folder, view, (task, metric), stem)
    return blocks if lines.empty else [*blocks, *_findings(view)]


def _file_name(*parts: str) -> str:
    """Return a file name from names that may hold spaces and slashes; distinct ones may clash."""
    return re.sub(r"[^A-Za-z0-9]+", "-", "-".join(parts)).strip("-").lower()


def _changes(folder: Path, view: ColumnView, stem: str) -> list[str]:
    blocks = []
    for place, plot in enumerate(changes(view), start=1):
        name = f"changes-{stem}{f'-{place}' if place > 1 else ''}.svg"
        title = f"{view.column}: {plot.title}"
        legend = view.picture_keys(plot.rows)
        drawn = picture([Titled("", plot.drawing)], legend=legend, title=title)
        write_atomically(folder / name, drawn)
        blocks.append(f"![{plot.title}]({name})")
    return blocks


def _labels(folder: Path, view: ColumnView, pair: tuple[str, str], stem: str) -> list[str]:
    bars = label_bars(view, *pair)
    if not bars:
        return []
    task, metric = pair
    panels = [
        Titled(
            each.label + ("" if each.rate is None else f", base rate {100 * each.rate:.1f}"),
            each.drawing,
        )
        for each in bars
    ]
    name = f"labels-{stem}-{_file_name(task, metric)}.svg"
    drawn = picture(
        panels,
        columns=_LABELS_ACROSS,
        legend=view.picture_keys(),
        title=f"{view.column}: {task} {metric}",
    )
    write_atomically(folder / name, drawn)
    return [
        f"### {task}: {metric} of each label",
        render(label_table(view.measured, view.spec, task, metric)),
        f'{label_note(view, metric, bars)} "Always yes" is the F1 of that answer.'
        if metric == "f1"
        else label_note(view, metric, bars),
        f"![{metric} of each label]({name})",
    ]


def _findings(view: ColumnView) -> list[str]:
    measured, spec = view.measured, view.spec
    blocks = ["### Findings", bullets(warnings(measured, spec))]
    if gives_levels(measured, spec):
        return blocks
    tables = [
        table for other in spec.compared if (table := comparison_table(measured, spec, other))
    ]
    if not tables:
        return [*blocks, "No row shares a repeat with the row that it is compared with."]
    lines = undecided(measured, spec)
    if lines:
        folded = f"<details><summary>{UNDECIDED}</summary>\n\n{bullets(lines)}\n\n</details>"
        blocks.append(folded)
    return [*blocks, *map(render, tables), difference_note(spec)]
