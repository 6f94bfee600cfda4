"""Lines over an axis, with bands or bars: the drawings of the study of dynamic weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mtl_dm.reporting.page.svg import Drawing, Scale, axes, circle, line, padded, path, text, ticks

_WIDTH, _HEIGHT = 330.0, 230.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 16.0, 10.0, 40.0


class Curve(NamedTuple):
    """A line.

    Attributes:
        name: Shown where a reader points at it.
        colour: CSS class of its colour.
        x: Along the axis, rising.
        y: Means.
        low: Lower ends of what lies around; where they equal the means nothing does.
        high: Upper ends.
        bars: Whether these are shown as bars at dots, not as a band.
    """

    name: str
    colour: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    bars: bool = False


def lines(curves: Sequence[Curve], x_title: str, label: str) -> Drawing:
    """Return curves in one frame.

    Args:
        curves: At least one with a point.
        x_title: Below the axis.
        label: What the drawing shows, read aloud.

    Raises:
        ValueError: If there is no point.
    """
    values = [value for curve in curves for part in (curve.low, curve.high) for value in part]
    if not values:
        raise ValueError(f"Nothing to draw: {label!r} has no point.")
    places = [place for curve in curves for place in curve.x]
    low, high = min(places), max(places)
    x = Scale(low, high if high > low else low + 1, _LEFT, _WIDTH - _RIGHT)
    y = Scale(*padded(values), _HEIGHT - _BOTTOM, _TOP)
    parts = [
        axes(x, y, ticks(x.low, x.high, 5), ticks(y.low, y.high)),
        text((x.start + x.end) / 2, _HEIGHT - 6, x_title, "name middle"),
        *(_curve(each, x, y) for each in curves),
    ]
    return Drawing(_WIDTH, _HEIGHT, "".join(parts), label)


def _curve(curve: Curve, x: Scale, y: Scale) -> str:
    points = [(x(place), y(value)) for place, value in zip(curve.x, curve.y, strict=True)]
    around = path(points, f"curve {curve.colour}", curve.name) if len(points) > 1 else ""
    if curve.bars:
        return around + _bars(curve, points, x, y)
    upper = [(x(place), y(value)) for place, value in zip(curve.x, curve.high, strict=True)]
    lower = [(x(place), y(value)) for place, value in zip(curve.x, curve.low, strict=True)]
    band = path(upper + lower[::-1], f"band {curve.colour}", closed=True) if upper != lower else ""
    return band + around


def _bars(curve: Curve, points: Sequence[tuple[float, float]], x: Scale, y: Scale) -> str:
    parts = []
    for place, low, high, point in zip(curve.x, curve.low, curve.high, points, strict=True):
        if high > low:
            parts.append(line(x(place), y(low), x(place), y(high), f"bar {curve.colour}"))
        parts.append(circle(*point, 4, f"dot {curve.colour}", curve.name))
    return "".join(parts)
