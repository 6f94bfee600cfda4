"""Change in the class metric against change in the attribute metric, a point a row."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mtl_dm.reporting.measured import Summary
from mtl_dm.reporting.page.markup import card, escape
from mtl_dm.reporting.page.svg import Scale, axes, chart, line, number, padded, rect, text, ticks
from mtl_dm.reporting.page.view import ColumnView
from mtl_dm.reporting.tables import percent

_WIDTH, _HEIGHT = 430.0, 380.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 12.0, 12.0, 44.0
# Where a point's number may stand, nearest first.
_PLACES = [
    (distance * math.cos(math.radians(angle)), -distance * math.sin(math.radians(angle)))
    for distance in (14.0, 22.0, 32.0, 44.0)
    for angle in (45, 135, 315, 225, 90, 0, 180, 270)
]

Point = tuple[str, Summary, Summary]


def change_chart(view: ColumnView) -> str:
    """Return the plot, or "" where fewer than two tasks were compared with the baseline.

    The quadrant where both gain is shaded; bars are 95% intervals of the paired difference.
    """
    spec = view.spec
    if len(spec.main_metrics) < 2:
        return ""
    x_pair, y_pair = [(task, names[0]) for task, names in spec.main_metrics.items()][:2]
    found: list[Point] = []
    for row in (row for row in spec.rows if row != spec.baseline_row):
        x = view.measured.difference(row, spec.baseline_row, *x_pair)
        y = view.measured.difference(row, spec.baseline_row, *y_pair)
        if x is not None and y is not None:
            found.append((row, x, y))
    if not found:
        return ""
    drawing = _drawing(view, found, " ".join(x_pair), " ".join(y_pair))
    bars = "; bars: 95% intervals" if any(_reach(x) or _reach(y) for _, x, y in found) else ""
    title = f"Change against {escape(spec.baseline_row)}, in points{bars}"
    rows = [spec.baseline_row, *(row for row, _, _ in found)]
    return f'<div class="beside">{card(title, drawing)}{view.legend(rows)}</div>'


def _drawing(view: ColumnView, found: Sequence[Point], x_name: str, y_name: str) -> str:
    x_ends = [0.0] + [100 * x.mean + side * _reach(x) for _, x, _ in found for side in (-1, 1)]
    y_ends = [0.0] + [100 * y.mean + side * _reach(y) for _, _, y in found for side in (-1, 1)]
    x = Scale(*padded(x_ends, 0.12), _LEFT, _WIDTH - _RIGHT)
    y = Scale(*padded(y_ends, 0.12), _HEIGHT - _BOTTOM, _TOP)
    parts = [
        rect(x(0), y.end, x.end - x(0), y(0) - y.end, "gain"),
        text(x.end - 6, y.end + 14, "both gain", "gain-name end"),
        axes(x, y, ticks(x.low, x.high), ticks(y.low, y.high)),
        line(x(0), y.start, x(0), y.end, "zero"),
        line(x.start, y(0), x.end, y(0), "zero"),
        text((x.start + x.end) / 2, _HEIGHT - 8, f"change in {x_name}", "name middle"),
        text(12, (y.start + y.end) / 2, f"change in {y_name}", "name middle", -90),
    ]
    places = {view.spec.baseline_row: (x(0), y(0))}
    for row, dx, dy in found:
        centre = x(100 * dx.mean), y(100 * dy.mean)
        places[row] = centre
        if _reach(dx):
            ends = x(100 * dx.mean - _reach(dx)), x(100 * dx.mean + _reach(dx))
            parts.append(line(ends[0], centre[1], ends[1], centre[1], f"bar {view.colour(row)}"))
        if _reach(dy):
            ends = y(100 * dy.mean - _reach(dy)), y(100 * dy.mean + _reach(dy))
            parts.append(line(centre[0], ends[0], centre[0], ends[1], f"bar {view.colour(row)}"))
    labels = _label_places(list(places.values()), (x, y))
    tips = {
        row: f"{row}: {x_name} {percent(dx, signed=True)}, {y_name} {percent(dy, signed=True)}"
        for row, dx, dy in found
    }
    for (row, point), label in zip(places.items(), labels, strict=True):
        colour = view.colour(row)
        parts += [
            line(*point, *label, f"leader {colour}"),
            f'<circle cx="{number(point[0])}" cy="{number(point[1])}" r="5" class="dot {colour}">'
            f"<title>{escape(tips.get(row, row))}</title></circle>",
            text(label[0], label[1] + 4, str(view.number(row)), f"point middle {colour}"),
        ]
    return chart(_WIDTH, _HEIGHT, "".join(parts), f"{y_name} against {x_name}: {list(tips)}")


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


def _reach(summary: Summary) -> float:
    """Half width in points; 0 draws no bar where there is no interval."""
    return 0.0 if math.isnan(summary.half_width) else 100 * summary.half_width
