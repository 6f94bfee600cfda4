"""Change in one task's metric against change in another's, a point a row."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

from mtl_dm.reporting.page.markup import card, escape
from mtl_dm.reporting.page.scatter import Axis, Point, scatter
from mtl_dm.reporting.page.svg import Drawing
from mtl_dm.reporting.page.view import ColumnView
from mtl_dm.reporting.spec import Pair


class Changes(NamedTuple):
    """One plot: what it shows, and the rows in it."""

    title: str
    drawing: Drawing
    rows: list[str]


def changes(view: ColumnView) -> list[Changes]:
    """Return a plot for every two tasks that rows were compared in with their single-task rows.

    The quadrant where both gain is shaded; bars are 95% intervals of the paired difference.
    """
    plots = (_changes(view, x, y) for x, y in combinations(view.spec.headlines, 2))
    return [plot for plot in plots if plot is not None]


def _changes(view: ColumnView, x_pair: Pair, y_pair: Pair) -> Changes | None:
    spec, found = view.spec, list[Point]()
    for row in spec.rows:
        single = spec.baselines_of(row).single_task
        if single is None:
            continue
        x = view.measured.difference(row, single, *x_pair)
        y = view.measured.difference(row, single, *y_pair)
        if x is not None and y is not None:
            found.append((row, x, y))
    if not found:
        return None
    named = [Axis(" ".join(pair), spec.quantity(pair[1])) for pair in (x_pair, y_pair)]
    intervals = any(named[0].reach(x) or named[1].reach(y) for _, x, y in found)
    singles = [spec.baselines_of(row).single_task for row, _, _ in found]
    baselines = [name for name in dict.fromkeys(singles) if name is not None]
    start = baselines[0] if len(baselines) == 1 else None
    against = start or "the single-task row of each"
    rows = [row for row, _, _ in found]
    return Changes(
        f"Change against {against}{'; bars: 95% intervals' if intervals else ''}",
        scatter(view, found, (named[0], named[1]), start),
        rows if start is None else [start, *rows],
    )


def change_charts(view: ColumnView) -> str:
    """Return the plots for the page, "" where there is nothing to compare."""
    blocks = []
    for plot in changes(view):
        shown = card(escape(plot.title), plot.drawing.markup)
        blocks.append(f'<div class="beside">{shown}{view.legend(plot.rows)}</div>')
    return "".join(blocks)
