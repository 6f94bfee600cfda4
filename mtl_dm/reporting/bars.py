"""The plot of a metric label by label."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mtl_dm.reporting._canvas import colours, new_figure, save_figure
from mtl_dm.reporting.measured import Measured
from mtl_dm.reporting.spec import ReportSpec
from mtl_dm.reporting.tables import base_rates, natural_key

# More bars side by side are too thin to tell apart; the labels then continue in a panel below.
_BARS_IN_PANEL = 72


def label_bars(
    frame: pd.DataFrame,
    spec: ReportSpec,
    path: str | Path,
    task: str,
    metric: str,
    *,
    column: str | None = None,
) -> bool:
    """Draw a metric label by label, one bar a row, with the base rate as a tick across the bars.

    Args:
        frame: A long frame (`to_frame`, `read_results`).
        spec: Names the rows.
        path: Target PNG.
        task: Task, "action_units".
        metric: Metric with per-label values "metric/label".
        column: One of the spec's columns; None takes the first.

    Returns:
        Whether there was anything to draw; no file is written otherwise.

    Raises:
        ValueError: If the column is unknown.
    """
    column = spec.known_column(column)
    measured = Measured(frame, column, spec.test_train_ratio)
    labels = sorted(measured.labels(task, metric), key=natural_key)
    rows = [
        row
        for row in spec.rows
        if any(measured.values(row, task, f"{metric}/{label}") for label in labels)
    ]
    if not rows:
        return False
    width = max(6.4, min(12.0, 1.5 + 0.14 * len(labels) * (len(rows) + 1)))
    size = max(4, _BARS_IN_PANEL // (len(rows) + 1))
    parts = [labels[start : start + size] for start in range(0, len(labels), size)]
    figure, panels = new_figure(width, 1.3 + 2.1 * len(parts), len(parts))
    for axes, part in zip(panels, parts, strict=True):
        _draw_bars(axes, measured, spec, (task, metric), rows, part)
        # Every panel as wide as the first: bars of one width are easier to compare.
        axes.set_xlim(-0.6, len(parts[0]) - 0.4)
    panels[0].set_title(f"{column}: {task}", fontsize=10, loc="left")
    handles = panels[0].get_legend_handles_labels()
    columns = min(4, len(handles[1]))
    figure.legend(*handles, loc="outside lower center", ncols=columns, fontsize=8, frameon=False)
    save_figure(figure, path)
    return True


def _draw_bars(
    axes: Any,
    measured: Measured,
    spec: ReportSpec,
    pair: tuple[str, str],
    rows: Sequence[str],
    labels: Sequence[str],
) -> None:
    (task, metric), width = pair, 0.8 / len(rows)
    palette = colours(spec.rows, spec.baseline_row)
    positions = np.arange(len(labels))
    for index, row in enumerate(rows):
        found = [measured.summary(row, task, f"{metric}/{label}") for label in labels]
        heights = [100 * summary.mean if summary else math.nan for summary in found]
        left = positions + index * width - 0.4
        axes.bar(left, heights, width, align="edge", label=row, color=palette[row])
    rates = base_rates(measured, spec, task)
    drawn = [(place, 100 * rates[label]) for place, label in enumerate(labels) if label in rates]
    if drawn:
        places, heights = np.array(drawn).T
        axes.hlines(heights, places - 0.45, places + 0.45, colors="k", lw=1.2, label="base rate")
    turned = max(map(len, labels)) > 6
    axes.set_xticks(positions, labels, rotation=90 if turned else 0, fontsize=8)
    axes.set_ylabel(f"{metric} (%)")
