"""Two differences against each other, a point a row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from mtl_dm.reporting.measured import Summary
from mtl_dm.reporting.page.svg import Drawing, Scale, axes, circle, line, padded, rect, text, ticks
from mtl_dm.reporting.page.view import ColumnView
from mtl_dm.reporting.quantities import Quantity
from mtl_dm.reporting.tables import shown

_WIDTH, _HEIGHT = 430.0, 380.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 12.0, 12.0, 44.0
# Where a point's number may stand, nearest first.
_PLACES = [
    (distance * math.cos(math.radians(angle)), -distance * math.sin(math.radians(angle)))
    for distance in (14.0, 22.0, 32.0, 44.0)
    for angle in (45, 135, 315, 225, 90, 0, 180, 270)
]

Point = tuple[str, Summary, Summary]


class Axis(NamedTuple):
    """One metric of the plot: its name and what its numbers are."""

    name: str
    quantity: Quantity

    def reach(self, summary: Summary) -> float:
        """Return the half width as shown; 0 draws no bar where there is no interval."""
        return 0.0 if math.isnan(summary.half_width) else self.quantity.scale * summary.half_width

    def ends(self, summary: Summary) -> tuple[float, float, float]:
        """Return the mean and the ends of its bar, as shown."""
        mean, reach = self.quantity.scale * summary.mean, self.reach(summary)
        return mean, mean - reach, mean + reach

    @property
    def title(self) -> str:
        """What stands along the axis."""
        unit = f" ({self.quantity.unit})" if self.quantity.unit else ""
        return f"change in {self.name}{unit}"


def scatter(
    view: ColumnView, found: Sequence[Point], named: tuple[Axis, Axis], start: str | None
) -> Drawing:
    """Return the plot of rows with their intervals; the quadrant where both gain is shaded.

    Args:
        view: Numbers and colours of the rows.
        found: Row, its difference along x and along y.
        named: The two axes.
        start: The row at the origin; None: there is not one alone.
    """
    x, y = _scales(found, named)
    # Where lower is better, the gain lies on the other side.
    right = x.end if named[0].quantity.higher_is_better else x.start
    top = y.end if named[1].quantity.higher_is_better else y.start
    parts = [
        rect(min(x(0), right), min(y(0), top), abs(right - x(0)), abs(top - y(0)), "gain"),
        _gain_name(right, top, x, y),
        axes(x, y, ticks(x.low, x.high), ticks(y.low, y.high)),
        line(x(0), y.start, x(0), y.end, "zero"),
        line(x.start, y(0), x.end, y(0), "zero"),
        text((x.start + x.end) / 2, _HEIGHT - 8, named[0].title, "name middle"),
        text(12, (y.start + y.end) / 2, named[1].title, "name middle", -90),
    ]
    places = {} if start is None else {start: (x(0), y(0))}
    tips = {}
    for row, dx, dy in found:
        centre, low, high = zip(named[0].ends(dx), named[1].ends(dy), strict=True)
        places[row] = at = x(centre[0]), y(centre[1])
        colour = f"bar {view.colour(row)}"
        if named[0].reach(dx):
            parts.append(line(x(low[0]), at[1], x(high[0]), at[1], colour))
        if named[1].reach(dy):
            parts.append(line(at[0], y(low[1]), at[0], y(high[1]), colour))
        said = zip(named, (dx, dy), strict=True)
        values = (f"{axis.name} {shown(d, axis.quantity, signed=True)}" for axis, d in said)
        tips[row] = f"{row}: {', '.join(values)}"
    labels = _label_places(list(places.values()), (x, y))
    for (row, point), label in zip(places.items(), labels, strict=True):
        parts.append(_point(view, row, point, label, tips.get(row, row)))
    name = f"{named[1].name} against {named[0].name}: {list(tips)}"
    return Drawing(_WIDTH, _HEIGHT, "".join(parts), name)


def _scales(found: Sequence[Point], named: tuple[Axis, Axis]) -> tuple[Scale, Scale]:
    x_ends = [0.0, *(end for _, dx, _ in found for end in named[0].ends(dx))]
    y_ends = [0.0, *(end for _, _, dy in found for end in named[1].ends(dy))]
    x = Scale(*padded(x_ends, 0.12), _LEFT, _WIDTH - _RIGHT)
    return x, Scale(*padded(y_ends, 0.12), _HEIGHT - _BOTTOM, _TOP)


def _gain_name(right: float, top: float, x: Scale, y: Scale) -> str:
    across = (x.end - 6, "end") if right == x.end else (x.start + 6, "")
    return text(
        across[0], top + 14 if top == y.end else top - 6, "both gain", f"gain-name {across[1]}"
    )


def _point(
    view: ColumnView, row: str, at: tuple[float, float], label: tuple[float, float], tip: str
) -> str:
    colour = view.colour(row)
    return (
        line(*at, *label, f"leader {colour}")
        + circle(*at, 5, f"dot {colour}", tip)
        + text(label[0], label[1] + 4, str(view.number(row)), f"point middle {colour}")
    )


def _label_places(
    points: Sequence[tuple[float, float]], scales: tuple[Scale, Scale]
) -> list[tuple[float, float]]:
    """Return where the points' numbers stand: greedily, the nearest place that is free."""
    x, y = scales
    taken = list(points)
    labels = []
    for px, py in points:
        candidates = [(px + dx, py + dy) for dx, dy in _PLACES]
        inside = [
            (cx, cy)
            for cx, cy in candidates
            if x.start + 8 < cx < x.end - 8 and y.end + 8 < cy < y.start - 8
        ] or candidates
        free = [place for place in inside if min(math.dist(place, other) for other in taken) > 13]
        chosen = (free or inside)[0]
        taken.append(chosen)
        labels.append(chosen)
    return labels
