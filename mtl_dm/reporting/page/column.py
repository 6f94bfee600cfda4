"""The sections of one column, in order."""

from __future__ import annotations

import pandas as pd

from mtl_dm.reporting.findings import undecided, warnings
from mtl_dm.reporting.page.changes import change_charts
from mtl_dm.reporting.page.curves import balance_curves, learning_curves
from mtl_dm.reporting.page.heat import heat_maps
from mtl_dm.reporting.page.labels import label_cards
from mtl_dm.reporting.page.markup import bullets, details, escape, note
from mtl_dm.reporting.page.numbers import (
    differences,
    label_numbers,
    measured_beside_published,
    published_note,
)
from mtl_dm.reporting.page.reliability import reliability_diagrams
from mtl_dm.reporting.page.samples import sample_cards
from mtl_dm.reporting.page.values import value_sections
from mtl_dm.reporting.page.view import ColumnView
from mtl_dm.reporting.sections import UNDECIDED, interval_note

NO_EVIDENCE = "Nothing to draw: no cell of this column has such evidence beside it."


def column_markup(view: ColumnView, lines: pd.DataFrame, prefix: str) -> str:
    """Return the sections of a column.

    Args:
        view: The column.
        lines: Its lines of the long frame.
        prefix: Put before the sections' anchors.

    Raises:
        ValueError: If the spec names a published table or column that does not exist.
    """
    if lines.empty:
        return note("No cell of this column is finished.")
    spec = view.spec
    numbers = measured_beside_published(view) + note(interval_note(view.measured, lines, spec))
    beside = "Measured beside published" if spec.published_columns else "Measured"
    sections = {
        "Findings": bullets(warnings(view.measured, spec)) + _undecided(view) + differences(view),
        beside: numbers + published_note(view),
        "Who gains, who loses": change_charts(view)
        or note("No row shares a repeat and two tasks with its single-task row."),
        "Learning curves": learning_curves(view),
        **balance_curves(view),
        "Label by label": _labels(view),
        "Relatedness: prior and implied": heat_maps(view),
        **value_sections(view),
        "Calibration": reliability_diagrams(view),
        "Sample predictions": sample_cards(view),
    }
    links = "".join(
        f'<a href="#{prefix}-{place}">{escape(title)}</a>' for place, title in enumerate(sections)
    )
    blocks = [f"<nav>{links}</nav>", _without_evidence(view, lines)]
    for place, (title, content) in enumerate(sections.items()):
        blocks.append(
            f'<section id="{prefix}-{place}"><h3>{escape(title)}</h3>'
            f"{content or note(NO_EVIDENCE)}</section>"
        )
    return "".join(blocks)


def _undecided(view: ColumnView) -> str:
    lines = undecided(view.measured, view.spec)
    return details(UNDECIDED, bullets(lines)) if lines else ""


def _labels(view: ColumnView) -> str:
    folds: list[str] = []
    for task, metric in view.spec.per_label:
        cards = label_cards(view, task, metric)
        if cards:
            content = cards + label_numbers(view, task, metric)
            folds.append(details(f"{escape(task)}: {escape(metric)}", content, opened=not folds))
    return "".join(folds)


def _without_evidence(view: ColumnView, lines: pd.DataFrame) -> str:
    measured = set(lines["row"])
    missing = [row for row in view.spec.rows if row in measured and row not in view.evidence]
    if not missing:
        return ""
    return note(
        "No learning curves, relatedness, calibration and samples for "
        f"{', '.join(missing)}: these cells have no evidence file beside them (an older version "
        "made them). Delete a cell's file and run the study again to get it."
    )
