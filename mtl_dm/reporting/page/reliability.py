"""Reliability diagrams: do probabilities come true as often as they say?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mtl_dm.reporting.page.markup import card, escape, grid, note
from mtl_dm.reporting.page.svg import Scale, chart, line, rect, text
from mtl_dm.reporting.page.view import ColumnView

_SIDE, _LEFT, _TOP, _COUNTS = 170.0, 34.0, 8.0, 34.0


def reliability_diagrams(view: ColumnView) -> str:
    """Return a diagram for each task and row, or "" without evidence."""
    tasks: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for row in view.spec.rows:
        for content in view.evidence.get(row, ()):
            for task, found in content["calibration"].items():
                tasks.setdefault(task, {}).setdefault(row, []).append(found)
    blocks = []
    for task, rows in tasks.items():
        cards = [_card(view, row, parts) for row, parts in rows.items()]
        kind = next(iter(rows.values()))[0]["kind"]
        stated = (
            "the probability of the predicted class, against how often it was right"
            if kind == "multiclass"
            else "the probability that an attribute is present, against how often it was"
        )
        heading = f'<h4>{escape(task)} <span class="aside">{escape(stated)}</span></h4>'
        blocks.append(heading + grid(cards, "small"))
    if not blocks:
        return ""
    return "".join(blocks) + note(
        "A bar is how often statements came true, its line the probability they were made with. "
        "Bars at their lines are honest; below, the model is too sure, above, too timid. The "
        "strip below shows how many statements fall into each bin. ECE: expected calibration "
        "error, the mean gap weighted by these counts (Guo et al. 2017, 10 bins); repeats are "
        "pooled in the bars and averaged in the ECE."
    )


def _card(view: ColumnView, row: str, parts: Sequence[Mapping[str, Any]]) -> str:
    errors = [part["error"] for part in parts if part["error"] is not None]
    caption = f"ECE <strong>{100 * float(np.mean(errors)):.1f}</strong> points" if errors else ""
    return card(view.named(row), _diagram(view.colour(row), parts), caption)


def _diagram(colour: str, parts: Sequence[Mapping[str, Any]]) -> str:
    edges = parts[0]["edges"]
    counts = np.sum([part["count"] for part in parts], axis=0)
    # The pooled share: bins are weighted by how many statements each repeat put there.
    hits = np.sum([_times(part["outcome"], part["count"]) for part in parts], axis=0)
    stated = np.sum([_times(part["confidence"], part["count"]) for part in parts], axis=0)
    x = Scale(0, 1, _LEFT, _LEFT + _SIDE)
    y = Scale(0, 1, _TOP + _SIDE, _TOP)
    pieces = []
    for value in (0, 0.5, 1):
        pieces += [
            line(x.start, y(value), x.end, y(value), "rule"),
            text(x.start - 5, y(value) + 4, f"{value:g}", "tick end"),
            text(x(value), y.start + _COUNTS + 20, f"{value:g}", "tick middle"),
        ]
    floor = y.start + _COUNTS + 4
    for place, count in enumerate(counts):
        if not count:
            continue
        low, high = x(edges[place]), x(edges[place + 1])
        share, confidence = hits[place] / count, stated[place] / count
        tip = f"says {confidence:.2f}, comes true {share:.2f}, {count} statements"
        pieces.append(
            rect(low + 1, y(share), high - low - 2, y(0) - y(share), f"came {colour}", tip)
        )
        pieces.append(line(low + 1, y(confidence), high - 1, y(confidence), "said"))
        tall = _COUNTS * 0.85 * count / counts.max()
        pieces.append(rect(low + 1, floor - tall, high - low - 2, tall, "count", f"{count}"))
    pieces.append(line(x(0), y(0), x(1), y(1), "diagonal"))
    height = _TOP + _SIDE + _COUNTS + 26
    return chart(_LEFT + _SIDE + 10, height, "".join(pieces), "reliability diagram")


def _times(values: Sequence[float | None], counts: Sequence[int]) -> list[float]:
    return [(value or 0.0) * count for value, count in zip(values, counts, strict=True)]
