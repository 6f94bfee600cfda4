"""The figure of the study: what each form does to both tasks, in every regime."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from mtl_dm.files import write_atomically

SHOWN = {
    "printed (mean)": ("printed, mean", "#d62728", "v"),
    "printed (sum)": ("printed, sum", "#ff9896", "v"),
    "js + posterior": ("js + posterior", "#9467bd", "s"),
    "default": ("default", "#1f77b4", "o"),
    "default, learned relatedness": ("default, relatedness learned", "#2ca02c", "D"),
}


def draw(points: pd.DataFrame, path: str | Path) -> None:
    """Draw one point for each form and regime, if there are any; below 0 on an axis is shaded.

    Args:
        points: As `experiments.coupling.verdict.gains` gives them.
        path: Target PNG.
    """
    figure = Figure(figsize=(7.2, 4.6), dpi=150, layout="constrained")
    axes = figure.subplots()
    shown = points[points["row"].isin(SHOWN)]
    if shown.empty:
        return
    low_x, high_x = min(shown["x"].min(), 0) - 2, max(shown["x"].max(), 0) + 2
    low_y, high_y = min(shown["y"].min(), 0) - 1, max(shown["y"].max(), 0) + 1
    axes.axvspan(low_x, 0, color="#d62728", alpha=0.07, lw=0)
    axes.axhspan(low_y, 0, color="#d62728", alpha=0.07, lw=0)
    axes.axvline(0, color="0.4", lw=0.8)
    axes.axhline(0, color="0.4", lw=0.8)
    for row, (label, colour, marker) in SHOWN.items():
        chosen = shown[shown["row"] == row]
        if len(chosen):
            axes.scatter(
                chosen["x"], chosen["y"], s=52, c=colour, marker=marker, label=label, alpha=0.9
            )
    axes.set_xlim(low_x, high_x)
    axes.set_ylim(low_y, high_y)
    axes.set_xlabel("change in class accuracy (points)")
    axes.set_ylabel("change in attribute average precision (points)")
    axes.set_title("One point per form and regime, against no coupling", loc="left", fontsize=10)
    axes.text(0.01, 0.02, "a task got worse", transform=axes.transAxes, color="#a02020", fontsize=9)
    axes.legend(frameon=False, fontsize=8.5, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    write_atomically(path, buffer.getvalue())
