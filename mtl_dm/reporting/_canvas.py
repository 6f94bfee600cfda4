"""Figures that need no display and leave no half-written file.

Matplotlib is imported only when something is drawn.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mtl_dm.files import write_atomically

# Okabe and Ito's palette, which colour-blind readers tell apart too, without black and yellow
# (one looks like an axis, the other fades on white), and two more.
_SAFE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#8C564B", "#332288")


def new_figure(width: float, height: float, panels: int = 1) -> tuple[Any, list[Any]]:
    """Return an empty figure of that size in inches, and its axes, one below the other."""
    # Figure with its own Agg canvas: pyplot would keep every figure and the caller's backend.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(panels, 1, squeeze=False, sharey=True)[:, 0])
    for panel in axes:
        panel.spines[["top", "right"]].set_visible(False)
    return figure, axes


def save_figure(figure: Any, path: str | Path) -> None:
    """Write a figure as PNG, whole or not at all, the same bytes for the same drawing."""
    buffer = io.BytesIO()
    # No software version or date in the file: the same numbers give the same bytes.
    figure.savefig(buffer, format="png", metadata={"Software": None})
    write_atomically(path, buffer.getvalue())


def colours(rows: Sequence[str], baseline: str) -> dict[str, Any]:
    """Return a colour for each row; the baseline is grey, the others follow their order."""
    from matplotlib import colormaps

    others = [row for row in rows if row != baseline]
    # The colours of "tab20" are less distinct but more.
    palette = _SAFE if len(others) <= len(_SAFE) else [colormaps["tab20"](i) for i in range(20)]
    named = {row: palette[index % len(palette)] for index, row in enumerate(others)}
    return {baseline: "0.65", **named}
