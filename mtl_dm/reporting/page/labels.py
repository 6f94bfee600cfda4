"""A metric label by label: a card a label, a bar a row, the base rate as a mark."""

from __future__ import annotations

import math

from mtl_dm.reporting.page.markup import card, escape, grid, note
from mtl_dm.reporting.page.view import ColumnView
from mtl_dm.reporting.tables import base_rates, natural_key, percent


def label_cards(view: ColumnView, task: str, metric: str) -> str:
    """Return the cards of one task and metric, or "" where nothing was measured."""
    measured = view.measured
    labels = sorted(measured.labels(task, metric), key=natural_key)
    if not labels:
        return ""
    rates = base_rates(measured, view.spec, task)
    cards = [_card(view, task, metric, label, rates.get(label)) for label in labels]
    marks = ["The solid line is the base rate, the share of images with the label"]
    if metric == "f1":
        marks.append("the dashed line is the F1 of always answering yes, 2p / (1 + p)")
    text = f"Percent, means over repeats. {'; '.join(marks)}."
    return view.legend() + grid(cards, "labels") + note(text)


def _card(view: ColumnView, task: str, metric: str, label: str, rate: float | None) -> str:
    lines = []
    for row in view.spec.rows:
        summary = view.measured.summary(row, task, f"{metric}/{label}")
        mean = 100 * summary.mean if summary else math.nan
        if summary is None or math.isnan(mean):
            continue
        tip = escape(f"{row}: {percent(summary)}")
        lines.append(
            f'<div class="line {view.colour(row)}" title="{tip}">'
            f'<span class="who">{view.number(row)}</span><span class="track">'
            f'<span class="fill" style="width:{max(mean, 0):.1f}%"></span>{_marks(metric, rate)}'
            f'</span><span class="much">{mean:.1f}</span></div>'
        )
    base = "" if rate is None else f'<span class="aside">base rate {100 * rate:.1f}</span>'
    return card(f"{escape(label)}{base}", "".join(lines))


def _marks(metric: str, rate: float | None) -> str:
    if rate is None:
        return ""
    marks = f'<i class="rate" style="left:{100 * rate:.1f}%"></i>'
    if metric == "f1":
        marks += f'<i class="yes" style="left:{200 * rate / (1 + rate):.1f}%"></i>'
    return marks
