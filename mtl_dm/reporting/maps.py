"""Relatedness as a picture of heat maps side by side, for report.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mtl_dm.reporting._canvas import save_figure


class Panel(NamedTuple):
    """One heat map: its title, its values [K, M], and whether these are differences."""

    title: str
    values: np.ndarray
    signed: bool = False


def map_plot(
    panels: Sequence[Panel], classes: Sequence[str], attributes: Sequence[str], path: str | Path
) -> None:
    """Draw heat maps side by side, attributes down and classes across, numbers in percent.

    Args:
        panels: What to draw; values in [0, 1], differences in [-1, 1], NaN leaves a cell empty.
        classes: K names.
        attributes: M names.
        path: Target PNG.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = (1.1 + 3.3 * len(panels), 1.5 + 0.27 * len(attributes))
    figure = Figure(figsize=size, dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, panel in zip(
        figure.subplots(1, len(panels), squeeze=False, sharey=True)[0], panels, strict=True
    ):
        _draw(axes, panel)
        axes.set_xticks(range(len(classes)), classes, rotation=50, ha="right", fontsize=9)
        axes.set_yticks(range(len(attributes)), attributes, fontsize=9)
        axes.tick_params(length=0)
    save_figure(figure, path)


def _draw(axes: Any, panel: Panel) -> None:
    colours = ("RdBu", -1.0) if panel.signed else ("Blues", 0.0)
    axes.imshow(panel.values.T, cmap=colours[0], vmin=colours[1], vmax=1.0, aspect="auto")
    axes.set_title(panel.title, fontsize=10, loc="left")
    axes.spines[:].set_color("0.8")
    for (k, i), value in np.ndenumerate(panel.values):
        if np.isfinite(value):
            percent = round(100 * value)
            shown = f"{percent:+d}" if panel.signed and percent else str(percent)
            colour = "white" if abs(value) > 0.65 else "0.15"
            axes.text(k, i, shown, ha="center", va="center", fontsize=8, color=colour)
