"""The figure of the study: what each form does to both tasks, in every regime."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from mtl_dm.files import write_atomically
from mtl_dm.reporting import ReportSpec
from mtl_dm.reporting.measured import Measured, Summary
from mtl_dm.reporting.page.picture import Titled, picture
from mtl_dm.reporting.page.scatter import Axis, Point, scatter
from mtl_dm.reporting.page.view import ColumnView
from mtl_dm.reporting.quantities import FRACTION

SHOWN = (
    "printed (mean)",
    "printed (sum)",
    "js + posterior",
    "default",
    "default, learned relatedness",
)
AXES = (Axis("class accuracy", FRACTION), Axis("attribute average precision", FRACTION))
SIDE_BY_SIDE = 3


def draw(points: pd.DataFrame, path: str | Path) -> None:
    """Draw a panel for each regime, a point for each form, if there are any.

    Args:
        points: As `experiments.coupling.verdict.gains` gives them.
        path: Target SVG.
    """
    shown = points[points["row"].isin(SHOWN)]
    if shown.empty:
        return
    views = {name: _view(name) for name in dict.fromkeys(shown["column"])}
    panels = [
        Titled(name, scatter(view, _points(shown[shown["column"] == name]), AXES, None))
        for name, view in views.items()
    ]
    rows = [row for row in SHOWN if row in set(shown["row"])]
    legend = next(iter(views.values())).picture_keys(rows)
    title = "Change against no coupling, a point a form"
    write_atomically(path, picture(panels, columns=SIDE_BY_SIDE, legend=legend, title=title))


def _points(found: pd.DataFrame) -> list[Point]:
    return [
        (row, _summary(x), _summary(y))
        for row, x, y in found[["row", "x", "y"]].itertuples(index=False)
    ]


def _summary(points: float) -> Summary:
    """Return a difference in points as the mean that it is; its interval is in verdict.md."""
    return Summary(points / FRACTION.scale, math.nan, 1)


def _view(column: str) -> ColumnView:
    """Return numbers and colours of the rows, the same in every panel."""
    spec = ReportSpec("", "coupling_study", "", {"tasks": ["accuracy"]}, SHOWN, [column], "")
    nothing = pd.DataFrame(columns=["column", "row", "task", "metric", "seed", "fold", "value"])
    return ColumnView(spec, column, Measured(nothing, column))
