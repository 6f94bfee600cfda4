"""Where a face stands in the plane of valence and arousal, as a small picture."""

from __future__ import annotations

from collections.abc import Mapping

from PIL import Image, ImageDraw

from mtl_dm.tasks import Task

AFFECT = ("valence", "arousal")
SIDE = 84
INK, PAPER, FAINT, DOT = "#1b1b1b", "#ffffff", "#b9c1c9", "#0072B2"
_FINE = 4
"""Drawn so many times larger and shrunk, which smooths the lines."""
_RADIUS, _DOT = 36, 4.5


def is_affect(task: Task) -> bool:
    """Return whether a task has the values that span a circumplex."""
    return task.kind == "regression" and all(name in task.labels for name in AFFECT)


def circumplex(predicted: Mapping[str, float]) -> Image.Image:
    """Return the unit circle with both axes and a dot, [SIDE, SIDE].

    What lies beyond -1 or 1 stands at the edge, as a ring.

    Args:
        predicted: Valence and arousal by name, finite.
    """
    size = SIDE * _FINE
    picture = Image.new("RGB", (size, size), PAPER)
    draw = ImageDraw.Draw(picture)
    middle, radius = size / 2, _RADIUS * _FINE
    ends = middle - radius, middle + radius
    draw.ellipse((ends[0], ends[0], ends[1], ends[1]), outline=FAINT, width=_FINE)
    draw.line((ends[0], middle, ends[1], middle), FAINT, _FINE)
    draw.line((middle, ends[0], middle, ends[1]), FAINT, _FINE)
    inside = [min(1.0, max(-1.0, predicted[name])) for name in AFFECT]
    beyond = inside != [predicted[name] for name in AFFECT]
    # Arousal grows upward, rows downward.
    across, down = middle + radius * inside[0], middle - radius * inside[1]
    reach = _DOT * _FINE
    draw.ellipse(
        (across - reach, down - reach, across + reach, down + reach),
        fill=PAPER if beyond else DOT,
        outline=DOT,
        width=2 * _FINE,
    )
    return picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
