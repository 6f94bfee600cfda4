"""Putting text labels beside points so that none hides another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

_DISTANCES = (8.0, 18.0, 30.0, 44.0, 60.0)
_ANGLES = tuple(range(20, 380, 30))


def place_labels(
    axes: Any, places: Sequence[tuple[float, float, float, float]], names: Sequence[str]
) -> None:
    """Write each name near its point, at the first place that is free, with a leader line.

    Greedy: every name tries directions at growing distances and takes the one that overlaps other
    names, points and error bars least, the nearest of equals. Call it after setting the limits.

    Args:
        axes: Matplotlib axes.
        places: x, y and the reach of the error bars in x and y, in data coordinates.
        names: One a point.
    """
    from matplotlib.patheffects import withStroke
    from matplotlib.text import Text

    axes.figure.canvas.draw()
    renderer = axes.figure.canvas.get_renderer()
    points = [(x, y) for x, y, _, _ in places]
    pixels = axes.transData.transform(points)
    unit = axes.figure.dpi / 72.0
    frame = axes.get_window_extent(renderer)
    taken: list[tuple[float, float, float, float]] = [
        (x - 5 * unit, y - 5 * unit, x + 5 * unit, y + 5 * unit) for x, y in pixels
    ]
    taken += [bar for place in places for bar in _bars(axes, place, unit)]
    for (x, y), point, name in zip(pixels, points, names, strict=True):
        label = axes.annotate(
            name,
            point,
            xytext=(0, 0),
            textcoords="offset points",
            fontsize=8,
            va="center",
            ha="center",
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
            arrowprops={"arrowstyle": "-", "color": "0.6", "lw": 0.6, "shrinkA": 0, "shrinkB": 4},
        )
        # An annotation's own extent includes its leader line.
        size = Text.get_window_extent(label, renderer)
        width, height = size.width, size.height
        best, best_cost, best_box = (0.0, 0.0), math.inf, taken[0]
        for distance in _DISTANCES:
            for angle in _ANGLES:
                cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
                dx = cos * (distance * unit + width / 2)
                dy = sin * (distance * unit + height / 2)
                box = _box(x + dx, y + dy, width + 4 * unit, height + 2 * unit)
                outside = _area(box) - _overlap(box, tuple(frame.extents))
                cost = sum(_overlap(box, other) for other in taken) + 4 * outside + 1e-3 * distance
                if cost < best_cost:
                    best, best_cost, best_box = (dx / unit, dy / unit), cost, box
        label.set_position(best)
        taken.append(best_box)


def _bars(axes: Any, place: tuple[float, float, float, float], unit: float) -> list[Any]:
    """Return the boxes, in pixels, that the two error bars of a point cover."""
    x, y, dx, dy = place
    ends = [((x - dx, y), (x + dx, y)), ((x, y - dy), (x, y + dy))]
    boxes = []
    for pair in ends:
        (left, bottom), (right, top) = axes.transData.transform(list(pair))
        boxes.append((left - unit, bottom - unit, right + unit, top + unit))
    return boxes


def _box(x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _area(box: tuple[float, ...]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return width * height if width > 0 and height > 0 else 0.0
