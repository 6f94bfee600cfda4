"""Learning curves, a panel a loss term."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mtl_dm.reporting.page.markup import card, escape, grid, note
from mtl_dm.reporting.page.svg import Scale, axes, chart, padded, path, text, ticks
from mtl_dm.reporting.page.view import ColumnView

_WIDTH, _HEIGHT = 340.0, 230.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 22.0, 10.0, 40.0
_OBJECTIVE = "loss"

Curve = dict[int, list[float]]
"""Epoch -> values of the repeats."""


def learning_curves(view: ColumnView) -> str:
    """Return a panel for each loss term, or "" where no history was kept."""
    terms: dict[str, dict[str, Curve]] = {}
    for row in view.spec.rows:
        for content in view.evidence.get(row, ()):
            for part in content["history"]:
                _add(terms, row, part)
    # What all rows share first, the objective, which means something else in each row, last.
    names = sorted((name for name in terms if name != _OBJECTIVE), key=lambda n: -len(terms[n]))
    names += [_OBJECTIVE] if _OBJECTIVE in terms else []
    panels = [_panel(view, name, terms[name]) for name in names]
    if not panels:
        return ""
    shown = [row for row in view.spec.rows if any(row in curves for curves in terms.values())]
    text = (
        "Training loss per epoch, unweighted; lines are means over repeats, bands their range. "
        "A number marks the end of its row's line."
    )
    return view.legend(shown) + grid(panels, "wide") + note(text)


def balance_curves(view: ColumnView) -> dict[str, str]:
    """Return a section with a panel for each weight and cosine; none where they were not logged."""
    logged: dict[str, dict[str, Curve]] = {}
    for row in view.spec.rows:
        for content in view.evidence.get(row, ()):
            for part in content["history"]:
                for name, values in part.get("balance", {}).items():
                    _extend(logged.setdefault(name, {}).setdefault(row, {}), part, values)
    if not logged:
        return {}
    panels = [_panel(view, name, curves) for name, curves in logged.items()]
    shown = [row for row in view.spec.rows if any(row in curves for curves in logged.values())]
    text = (
        "Weights of the loss terms and cosines between their gradients over the shared weights, "
        "means of an epoch's steps. A cosine below 0: the terms pull apart."
    )
    return {"Weights and gradients": view.legend(shown) + grid(panels, "wide") + note(text)}


def _extend(curve: Curve, part: Mapping, values: Sequence[float | None]) -> None:
    for epoch, value in zip(part["epochs"], values, strict=False):
        if value is not None:
            curve.setdefault(int(epoch), []).append(float(value))


def _add(terms: dict[str, dict[str, Curve]], row: str, part: Mapping) -> None:
    for name, values in part["terms"].items():
        if name == _OBJECTIVE and len(part["terms"]) == 2:
            continue  # With a single term the objective is that term.
        _extend(terms.setdefault(name, {}).setdefault(row, {}), part, values)


def _panel(view: ColumnView, name: str, curves: Mapping[str, Curve]) -> str:
    title = "objective (what each row minimises)" if name == _OBJECTIVE else name.replace("_", " ")
    curves = {row: curve for row, curve in curves.items() if curve}
    values = [value for curve in curves.values() for found in curve.values() for value in found]
    if not values:
        return card(escape(title), '<p class="note">No finite value.</p>')
    epochs = [epoch for curve in curves.values() for epoch in curve]
    x = Scale(min(epochs), max(max(epochs), min(epochs) + 1), _LEFT, _WIDTH - _RIGHT)
    y = Scale(*padded(values), _HEIGHT - _BOTTOM, _TOP)
    whole = [tick for tick in ticks(x.low, x.high, 5) if tick == round(tick)]
    parts = [axes(x, y, whole, ticks(y.low, y.high))]
    parts.append(text((x.start + x.end) / 2, _HEIGHT - 6, "epoch", "name middle"))
    ends = []
    for row, curve in curves.items():
        steps, colour = sorted(curve), view.colour(row)
        if any(len(found) > 1 for found in curve.values()):
            upper = [(x(epoch), y(max(curve[epoch]))) for epoch in steps]
            lower = [(x(epoch), y(min(curve[epoch]))) for epoch in reversed(steps)]
            parts.append(path(upper + lower, f"band {colour}", closed=True))
        means = [(x(epoch), y(float(np.mean(curve[epoch])))) for epoch in steps]
        last = float(np.mean(curve[steps[-1]]))
        parts.append(path(means, f"curve {colour}", f"{row}: {last:.4g} at the end"))
        ends.append((means[-1][1], row))
    # Numbers at the line ends, pushed apart where lines end close together.
    heights = _apart([height for height, _ in sorted(ends)], y.end, y.start)
    for height, (_, row) in zip(heights, sorted(ends), strict=True):
        parts.append(
            text(x.end + 6, height + 4, str(view.number(row)), f"point {view.colour(row)}")
        )
    return card(escape(title), chart(_WIDTH, _HEIGHT, "".join(parts), f"{title} per epoch"))


def _apart(heights: list[float], top: float, bottom: float, gap: float = 12.0) -> list[float]:
    """Return sorted heights moved at least `gap` apart, inside the panel as far as they fit."""
    moved: list[float] = []
    for height in heights:
        moved.append(max(height, moved[-1] + gap) if moved else height)
    limit = bottom
    for place in reversed(range(len(moved))):
        moved[place] = min(moved[place], limit)
        limit = moved[place] - gap
    return [height + max(top - moved[0], 0) for height in moved] if moved else []
