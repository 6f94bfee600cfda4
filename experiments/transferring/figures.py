"""Figures 2 and 3 of Vielzeuf et al. 2019 with this study's numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from experiments.dynamic_curves import Curve, lines
from experiments.transferring import representations as made
from experiments.transferring.cells import UNLABELLED
from experiments.transferring.tables import QUANTITIES, UNITS, Columns
from experiments.transferring.targets import TASK, Target
from mtl_dm.reporting.measured import Measured
from mtl_dm.reporting.page.picture import Titled, picture
from mtl_dm.reporting.page.svg import Drawing, rect, text

ACROSS = 3
_ROW, _LEFT, _WIDE, _RIGHT = 24.0, 190.0, 360.0, 90.0


def sweep(columns: Columns, targets: Sequence[Target], width: int) -> str:
    """Return an SVG of the size of the embedding against error and targets; "": nothing to draw.

    Args:
        columns: Measured.
        targets: The targets.
        width: Of the row AE.
    """
    sizes = {made.AE: width, **made.SWEEP}
    wanted = [("reconstruction: NRMSE", UNLABELLED, made.RECONSTRUCTION, made.NRMSE)]
    wanted += [(f"{t.name}: {UNITS[t.metric]}", t.name, TASK, t.metric) for t in targets]
    panels = []
    for title, column, task, metric in wanted:
        curve = _curve(columns[column], sizes, task, metric)
        if len(curve.x) > 1:
            drawing = lines([curve], "log2 of the numbers of the embedding", title)
            panels.append(Titled(title, drawing))
    return picture(panels, columns=min(ACROSS, len(panels))) if panels else ""


def _curve(own: Measured, sizes: Mapping[str, int], task: str, metric: str) -> Curve:
    x, y = [], []
    for row, size in sorted(sizes.items(), key=lambda each: each[1]):
        values = own.values(row, task, metric)
        found = next((value for (seed, _), value in values.items() if seed == 0), None)
        if found is not None:
            x.append(math.log2(size))
            y.append(QUANTITIES[metric].scale * found)
    return Curve(metric, "c1", x, y, y, y, bars=True)


def times(seconds: Mapping[str, float]) -> str:
    """Return an SVG of bars, logarithmic as in the paper; "": nothing to draw.

    Args:
        seconds: By method.
    """
    if not seconds:
        return ""
    least = math.log10(min(seconds.values())) - 0.3
    most = math.log10(max(seconds.values()))
    parts = []
    for place, (name, value) in enumerate(seconds.items()):
        y = _ROW * place
        long = _WIDE * (math.log10(value) - least) / max(most - least, 1e-9)
        parts.append(text(_LEFT - 8, y + 15, name, "name end"))
        parts.append(rect(_LEFT, y + 3, long, _ROW - 8, "keyed c1", f"{name}: {value:.0f} s"))
        parts.append(text(_LEFT + long + 6, y + 15, f"{value:,.0f} s", "name"))
    height = _ROW * len(seconds)
    drawing = Drawing(_LEFT + _WIDE + _RIGHT, height, "".join(parts), "CPU-seconds by method")
    return picture([Titled("", drawing)], title="CPU-seconds, logarithmic")
