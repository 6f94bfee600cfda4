"""Relatedness as a picture of heat maps side by side, for report.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mtl_dm.files import write_atomically
from mtl_dm.reporting.page.heat import heat_drawing
from mtl_dm.reporting.page.picture import Titled, picture


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
        path: Target SVG.

    Raises:
        ValueError: If the path does not end in ".svg".
    """
    if Path(path).suffix != ".svg":
        raise ValueError(f"path must end in .svg, got {str(path)!r}.")
    drawn = [
        Titled(panel.title, heat_drawing(classes, attributes, panel.values, signed=panel.signed))
        for panel in panels
    ]
    write_atomically(path, picture(drawn, columns=len(drawn)))
