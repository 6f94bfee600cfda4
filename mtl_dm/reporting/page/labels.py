"""A metric label by label: a drawing a label, a bar a row, the base rate as a mark."""

from __future__ import annotations

import math
from typing import NamedTuple

from mtl_dm.reporting.measured import Summary
from mtl_dm.reporting.page.markup import card, escape, grid, note
from mtl_dm.reporting.page.svg import Drawing, Scale, line, rect, text
from mtl_dm.reporting.page.view import ColumnView
from mtl_dm.reporting.spec import Pair
from mtl_dm.reporting.tables import base_rates, natural_key, shown

_LEFT, _TRACK, _RIGHT, _HIGH = 20.0, 140.0, 40.0, 17.0


class LabelBars(NamedTuple):
    """The bars of one label, and its base rate where it is known."""

    label: str
    rate: float | None
    drawing: Drawing


def label_bars(view: ColumnView, task: str, metric: str) -> list[LabelBars]:
    """Return a drawing for each label of one task and metric; empty where nothing was measured."""
    labels = sorted(view.measured.labels(task, metric), key=natural_key)
    rates = base_rates(view.measured, view.spec, task)
    found = {
        label: {
            row: summary
            for row in view.spec.rows
            if (summary := view.measured.summary(row, task, f"{metric}/{label}")) is not None
        }
        for label in labels
    }
    longest = _longest(view, metric, found)
    return [
        LabelBars(label, rates.get(label), _bars(view, (task, metric), label, rows, rates, longest))
        for label, rows in found.items()
    ]


def _longest(view: ColumnView, metric: str, found: dict[str, dict[str, Summary]]) -> float:
    """Return what the whole track stands for: 1, or the largest value of what has no bound."""
    high = view.spec.quantity(metric).high
    if math.isfinite(high):
        return high
    return max((each.mean for rows in found.values() for each in rows.values()), default=0) or 1.0


def _bars(
    view: ColumnView,
    pair: Pair,
    label: str,
    rows: dict[str, Summary],
    rates: dict[str, float],
    longest: float,
) -> Drawing:
    x, quantity = Scale(0.0, longest, _LEFT, _LEFT + _TRACK), view.spec.quantity(pair[1])
    parts = []
    for place, (row, summary) in enumerate(rows.items()):
        y, colour = place * _HIGH, view.colour(row)
        parts += [
            text(_LEFT - 6, y + 13, str(view.number(row)), f"who end {colour}"),
            rect(_LEFT, y + 4, _TRACK, _HIGH - 7, "track"),
            rect(
                _LEFT,
                y + 4,
                x(max(summary.mean, 0.0)) - _LEFT,
                _HIGH - 7,
                f"fill {colour}",
                f"{label}, {row}: {shown(summary, quantity)}",
            ),
            text(x.end + 6, y + 13, shown(summary.bare, quantity), "much"),
        ]
    high = len(rows) * _HIGH
    parts += [
        line(x(mark), 0, x(mark), high, kind) for kind, mark in _marks(pair[1], rates.get(label))
    ]
    name = f"{pair[1]} of {label}: {list(rows)}"
    return Drawing(_LEFT + _TRACK + _RIGHT, high + 2, "".join(parts), name)


def _marks(metric: str, rate: float | None) -> list[tuple[str, float]]:
    if rate is None:
        return []
    # Answering yes everywhere has precision p and recall 1.
    return [("rate", rate), *([("yes", 2 * rate / (1 + rate))] if metric == "f1" else [])]


def label_note(view: ColumnView, metric: str, bars: list[LabelBars]) -> str:
    """Return what the bars and their marks are; Markdown."""
    unit = "Percent, means" if view.spec.quantity(metric).scale == 100 else "Means"
    marks = []
    if any(each.rate is not None for each in bars):
        marks.append("the solid line is the base rate, the share of images with the label")
        if metric == "f1":
            marks.append("the dashed line is the F1 of always answering yes, 2p / (1 + p)")
    return "; ".join([f"{unit} over repeats", *marks]) + "."


def label_cards(view: ColumnView, task: str, metric: str) -> str:
    """Return the drawings of one task and metric for the page, "" where nothing was measured."""
    bars = label_bars(view, task, metric)
    if not bars:
        return ""
    cards = [card(_title(each), each.drawing.markup) for each in bars]
    return view.legend() + grid(cards, "labels") + note(label_note(view, metric, bars))


def _title(bars: LabelBars) -> str:
    rate = "" if bars.rate is None else f"base rate {100 * bars.rate:.1f}"
    return escape(bars.label) + (f'<span class="aside">{rate}</span>' if rate else "")
