"""Compounds without and with a few examples, row beside row with intervals, as a page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pandas as pd

from experiments.faces_words import COMPOUNDS
from experiments.problems.behaviour import FEW_SHOT, HALF_WIDTH, UAR, ZERO_SHOT
from mtl_dm.reporting.measured import Measured, Tested
from mtl_dm.reporting.quantities import quantity_of
from mtl_dm.reporting.sections import bullets, render
from mtl_dm.reporting.statistics import holm, mean_p
from mtl_dm.reporting.tables import ABSENT, shown

PAGE = "compounds.md"
TITLES = {ZERO_SHOT: "No example", FEW_SHOT: "k examples of each compound"}


def compounds_page(
    frame: pd.DataFrame, columns: Sequence[str], rows: Sequence[str], against: str
) -> str:
    """Return, as Markdown, how well compounds are recognised and what a coupling changes in it.

    Args:
        frame: Long results, as `mtl_dm.reporting.to_frame` gives them.
        columns: Of the study.
        rows: Of the study.
        against: The row that the others are compared with.
    """
    blocks = [
        "# Compound expressions\n\nUnweighted average recall in percent, mean ± half width of "
        "Student's 95% interval over seeds; in parentheses half the width of the interval over "
        f"draws, mean over seeds. Then each row minus '{against}' in points, paired over seeds, p "
        "adjusted by Holm over the rows.",
        bullets(COMPOUNDS),
    ]
    for column in columns:
        blocks.append(f"## {column}")
        measured = Measured(frame, column)
        for task, title in TITLES.items():
            blocks += [f"### {title}", *_tables(measured, task, rows, against)]
    return "\n\n".join(blocks) + "\n"


def _tables(measured: Measured, task: str, rows: Sequence[str], against: str) -> Iterator[str]:
    ways = sorted(measured.labels(task, UAR), key=_natural)
    if not ways:
        yield "Not measured yet."
        return
    levels = [["row", *ways]]
    levels += [[row, *(_level(measured, row, task, way) for way in ways)] for row in rows]
    yield render(levels)
    others = [row for row in rows if row != against]
    columns = [_differences(measured, others, against, task, f"{UAR}/{way}") for way in ways]
    lines = zip(others, *columns, strict=True)
    yield render([[f"minus {against}", *ways], *map(list, lines)])


def _natural(way: str) -> list[str | int]:
    """Return a key by which k=10 stands behind k=5."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", way)]


def _level(measured: Measured, row: str, task: str, way: str) -> str:
    text = shown(measured.summary(row, task, f"{UAR}/{way}"), quantity_of(UAR))
    draws = measured.summary(row, task, f"{HALF_WIDTH}/{way}")
    return text if draws is None else f"{text} ({100 * draws.mean:.1f})"


def _differences(
    measured: Measured, rows: Sequence[str], other: str, task: str, metric: str
) -> list[str]:
    gaps = {row: measured.difference(row, other, task, metric) for row in rows}
    there = {row: gap for row, gap in gaps.items() if gap is not None}
    theirs = measured.values(other, task, metric)
    raw = []
    for row in there:
        ours = measured.values(row, task, metric)
        raw.append(mean_p([ours[repeat] - theirs[repeat] for repeat in ours if repeat in theirs]))
    tested = {
        row: Tested(gap, p).text for (row, gap), p in zip(there.items(), holm(raw), strict=True)
    }
    return [tested.get(row, ABSENT) for row in rows]
