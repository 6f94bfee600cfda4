"""Figures 2 and 4 to 7 of Ming et al. with this study's numbers, each an SVG file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from experiments.dynamic_curves import Curve, lines
from experiments.dynamic_history import TASKS, Course
from experiments.dynamic_rows import DYNAMIC, EQUAL, FULL, NAIVE, ONCE, static
from experiments.dynamic_tables import Courses, group_of
from experiments.problems.face_verification import EXPRESSION, VERIFICATION
from mtl_dm.files import write_atomically
from mtl_dm.reporting.measured import Measured
from mtl_dm.reporting.page.picture import Key, Titled, picture
from mtl_dm.reporting.vanishing import vanishing_plot

COLOURS = {"identity": "c1", "expression": "c2"}
KEYS = tuple(Key(n, COLOURS[task], task) for n, task in enumerate(COLOURS, 1))
SWEPT = {"identity": (VERIFICATION, "accuracy"), "expression": (EXPRESSION, "accuracy")}
"""What the sweep measures of each task: of identity how unseen people are verified."""
EFFICIENCY = {EQUAL: "c3", NAIVE: "c4", DYNAMIC: "c5"}
ACROSS = 3
SWEEP, WEIGHTS, LOSSES, EFFICIENT, VANISHING = (
    "figure2_static_weights.svg",
    "figure4_weights.svg",
    "figure5_losses.svg",
    "figure6_efficiency.svg",
    "figure7_vanishing_gradient.svg",
)


def sweep(groups: Mapping[str, Sequence[Measured]], path: Path) -> bool:
    """Draw both tasks against the static weight of identity (Figure 2); return if there was any.

    Args:
        groups: Columns of one group have the same data; a weight may be in any of them.
        path: Target SVG.
    """
    panels = []
    for group, measured in groups.items():
        for place, (task, pair) in enumerate(SWEPT.items()):
            curve = _swept(measured, pair, COLOURS[task])
            if len(curve.x) > 1:
                title = "verification of unseen people" if place == 0 else "expression"
                drawing = lines([curve], "w1, weight of identity", f"{title} against w1")
                panels.append(Titled(f"{group}: {title}, accuracy (%)", drawing))
    if panels:
        title = "Static weights w1 of identity, 1 - w1 of expression"
        write_atomically(path, picture(panels, columns=len(SWEPT), title=title))
    return bool(panels)


def _swept(measured: Sequence[Measured], pair: tuple[str, str], colour: str) -> Curve:
    found = []
    for weight in sorted((*FULL, *ONCE)):
        summaries = (each.summary(static(weight), *pair) for each in measured)
        summary = next((each for each in summaries if each is not None), None)
        if summary is not None:
            half = 0.0 if np.isnan(summary.half_width) else summary.half_width
            found.append((weight, 100 * summary.mean, 100 * half))
    x, y, half = zip(*found, strict=True) if found else ((), (), ())
    low = [mean - each for mean, each in zip(y, half, strict=True)]
    high = [mean + each for mean, each in zip(y, half, strict=True)]
    return Curve(" ".join(pair), colour, x, y, low, high, bars=True)


def courses(found: Courses, what: str, path: Path) -> bool:
    """Draw what weights, or losses, do over epochs, a panel a row (Figures 4 and 5).

    Args:
        found: By column and row.
        what: "weights" or "losses".
        path: Target SVG.

    Returns:
        Whether there was anything to draw.
    """
    panels = list(_panels(found, what))
    if panels:
        write_atomically(path, picture(panels, columns=ACROSS, legend=KEYS))
    return bool(panels)


def _panels(found: Courses, what: str) -> Iterator[Titled]:
    for column, rows in found.items():
        for row, course in rows.items():
            values = getattr(course, what)
            if values is None or course.weights is None:
                continue
            curves = [_over_epochs(course, values[..., n], task) for n, task in enumerate(TASKS)]
            name = f"{group_of(column)}: {row}"
            yield Titled(name, lines(curves, "epoch", f"{what} of {name}"))


def _over_epochs(course: Course, values: np.ndarray, name: str, colour: str = "") -> Curve:
    return Curve(
        name,
        colour or COLOURS[name],
        course.epochs,
        values.mean(axis=0).tolist(),
        values.min(axis=0).tolist(),
        values.max(axis=0).tolist(),
    )


def efficiency(found: Courses, path: Path) -> bool:
    """Draw the loss of each task under different weights beside each other (Figure 6).

    Args:
        found: By column and row.
        path: Target SVG.

    Returns:
        Whether there was anything to draw.
    """
    panels = []
    for column, rows in found.items():
        there = {row: rows[row] for row in EFFICIENCY if row in rows}
        if len(there) < 2:
            continue
        for place, task in enumerate(TASKS):
            curves = [
                _over_epochs(course, course.losses[..., place], row, EFFICIENCY[row])
                for row, course in there.items()
            ]
            name = f"{group_of(column)}: loss of {task}"
            panels.append(Titled(name, lines(curves, "epoch", name)))
    if panels:
        legend = [Key(n, colour, row) for n, (row, colour) in enumerate(EFFICIENCY.items(), 1)]
        write_atomically(path, picture(panels, columns=len(TASKS), legend=legend))
    return bool(panels)


def vanishing(path: Path) -> bool:
    """Draw Figure 7, which no training changes."""
    vanishing_plot(path)
    return True
