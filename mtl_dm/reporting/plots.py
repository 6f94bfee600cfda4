"""The plot of each row's change against the single-task baseline."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd

from mtl_dm.reporting._canvas import colours, new_figure, save_figure
from mtl_dm.reporting._placement import place_labels
from mtl_dm.reporting.measured import Measured, Summary
from mtl_dm.reporting.spec import ReportSpec


def change_plot(
    frame: pd.DataFrame, spec: ReportSpec, path: str | Path, *, column: str | None = None
) -> bool:
    """Draw each row's change against the baseline: class metric (x), attribute metric (y).

    The quadrant where both tasks gain is shaded; error bars are 95% intervals of the paired
    difference, where there are several repeats.

    Args:
        frame: A long frame (`to_frame`, `read_results`).
        spec: Names the rows, the baseline and, first of each task, the metrics.
        path: Target PNG.
        column: One of the spec's columns; None takes the first.

    Returns:
        Whether there was anything to draw; no file is written otherwise.

    Raises:
        ValueError: If the column is unknown.
    """
    column = spec.known_column(column)
    measured = Measured(frame, column, spec.test_train_ratio)
    if len(spec.main_metrics) < 2:
        return False
    x_pair, y_pair = [(task, names[0]) for task, names in spec.main_metrics.items()][:2]
    found: list[tuple[str, Summary, Summary]] = []
    for row in (row for row in spec.rows if row != spec.baseline_row):
        x = measured.difference(row, spec.baseline_row, *x_pair)
        y = measured.difference(row, spec.baseline_row, *y_pair)
        if x is not None and y is not None:
            found.append((row, x, y))
    if not found:
        return False
    figure, (axes,) = new_figure(6.4, 5.0)
    palette = colours(spec.rows, spec.baseline_row)
    for row, x, y in found:
        centre, reach = (100 * x.mean, 100 * y.mean), (_reach(x), _reach(y))
        axes.errorbar(
            *centre, reach[1], reach[0], "none", ecolor=palette[row], elinewidth=1, alpha=0.55
        )
        axes.plot(*centre, "o", color=palette[row], ms=6, alpha=0.9)
    axes.plot(0, 0, "k+", ms=10)
    axes.margins(0.18)
    axes.autoscale_view()
    _shade_gain(axes)
    axes.set_xlabel(f"change in {x_pair[0]} {x_pair[1]} (points)")
    axes.set_ylabel(f"change in {y_pair[0]} {y_pair[1]} (points)")
    bars = "; bars: 95% intervals" if any(_reach(x) or _reach(y) for _, x, y in found) else ""
    axes.set_title(f"{column}: against {spec.baseline_row}{bars}", fontsize=10, loc="left")
    places = [(100 * x.mean, 100 * y.mean, _reach(x), _reach(y)) for _, x, y in found]
    names = [row for row, _, _ in found]
    place_labels(axes, [*places, (0.0, 0.0, 0.0, 0.0)], [*names, spec.baseline_row])
    save_figure(figure, path)
    return True


def _reach(summary: Summary) -> float:
    """Half width in points; 0 draws no error bar where there is no interval."""
    return 0.0 if math.isnan(summary.half_width) else 100 * summary.half_width


def _shade_gain(axes: Any) -> None:
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    # A sliver of the gaining quadrant must show even when every row loses.
    right, top = max(right, 0.1 * (right - left)), max(top, 0.1 * (top - bottom))
    axes.fill_between([0, right], 0, top, color="tab:green", alpha=0.08, lw=0, zorder=0)
    axes.annotate(
        "both gain",
        (right, top),
        (-4, -4),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=8,
        color="tab:green",
    )
    axes.axhline(0, color="0.7", lw=0.8, zorder=0)
    axes.axvline(0, color="0.7", lw=0.8, zorder=0)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
