"""What a model says about one face, as a small picture beside the photo."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw

from mtl_dm import faces
from mtl_dm.predicting.circumplex import AFFECT, SIDE, circumplex, is_affect
from mtl_dm.predicting.lettering import write
from mtl_dm.tasks import Task

WIDTH = 300
THUMB = 84
ACTIVE = 0.5
"""Probability from which an attribute is shown."""

_LINE, _MARGIN, _NAMES = 15, 6, 74
_MAX_BARS = 7  # of a multiclass task; the likeliest where there are more classes
_CHARACTERS, _TEXT_LINES = 46, 2
INK, PAPER, FAINT, BAR, BEST = "#1b1b1b", "#ffffff", "#d8d8d8", "#56B4E9", "#0072B2"


def height(tasks: Sequence[Task]) -> int:
    """Return the height of every card of a model."""
    bars = sum(min(_MAX_BARS, task.size) for task in tasks if task.kind == "multiclass")
    below = sum(_room(task) for task in tasks if task.kind != "multiclass")
    return _MARGIN * 2 + max(THUMB + _LINE, bars * _LINE) + below


def _room(task: Task) -> int:
    """Return the height of what stands of a task below the face and the bars."""
    return SIDE if is_affect(task) else _TEXT_LINES * _LINE


def card(
    number: int,
    colour: str,
    crop: faces.Image,
    prediction: Mapping[str, Mapping[str, float]],
    tasks: Sequence[Task],
) -> Image.Image:
    """Return the card of a face: as the model sees it, bars, active attributes, circumplex.

    Args:
        number: Of the face in its photo.
        colour: Of its box.
        crop: The aligned face.
        prediction: By task and label.
        tasks: The model's tasks.
    """
    picture = Image.new("RGB", (WIDTH, height(tasks)), PAPER)
    draw = ImageDraw.Draw(picture)
    picture.paste(Image.fromarray(crop).resize((THUMB, THUMB)), (_MARGIN, _MARGIN))
    draw.rectangle((_MARGIN, _MARGIN, _MARGIN + THUMB, _MARGIN + THUMB), outline=colour, width=3)
    write(draw, (_MARGIN, _MARGIN + THUMB), f"face {number}", INK, 12)
    top = _MARGIN
    for task in tasks:
        if task.kind == "multiclass":
            top = _bars(draw, top, prediction[task.name])
    top = max(top, _MARGIN + THUMB + _LINE)
    for task in tasks:
        if task.kind == "multiclass":
            continue
        predicted = prediction[task.name]
        if is_affect(task) and all(math.isfinite(predicted.get(name, math.nan)) for name in AFFECT):
            picture.paste(circumplex(predicted), (_MARGIN, top))
            lines = [f"{label} {value:+.2f}" for label, value in predicted.items()]
            _write(draw, lines[: SIDE // _LINE], _MARGIN * 2 + SIDE, top + _LINE)
        else:
            _write(draw, _wrapped(summary(task, predicted)), _MARGIN, top)
        top += _room(task)
    draw.line((0, picture.height - 1, WIDTH, picture.height - 1), FAINT)
    return picture


def _wrapped(text: str) -> list[str]:
    """Return a text in the lines that there is room for."""
    lines = textwrap.wrap(text, _CHARACTERS)
    if len(lines) <= _TEXT_LINES:
        return lines
    return [*lines[: _TEXT_LINES - 1], lines[_TEXT_LINES - 1][: _CHARACTERS - 2] + " …"]


def _write(draw: Any, lines: Sequence[str], left: int, top: int) -> None:
    for place, text in enumerate(lines):
        write(draw, (left, top + place * _LINE), text, INK, 11)


def summary(task: Task, predicted: Mapping[str, float]) -> str:
    """Return in one line which attributes are active, or the values of a regression."""
    if task.kind == "regression":
        return ", ".join(f"{label}={value:.2f}" for label, value in predicted.items())
    active = [f"{label}={value:.2f}" for label, value in predicted.items() if value >= ACTIVE]
    return f"{task.name}: {', '.join(active) or 'none'}"


def _bars(draw: Any, top: int, predicted: Mapping[str, float]) -> int:
    """Draw a bar a class and return where the next thing may start."""
    best = max(predicted, key=lambda label: predicted[label])
    shown = sorted(predicted, key=lambda label: -predicted[label])[:_MAX_BARS]
    left, right = _MARGIN * 2 + THUMB, WIDTH - _MARGIN - 30
    start = left + _NAMES
    for label in (name for name in predicted if name in shown):  # In the task's order, always.
        colour = BEST if label == best else BAR
        write(draw, (left, top), label[:12], INK, 11)
        draw.rectangle((start, top + 3, right, top + _LINE - 3), FAINT)
        draw.rectangle(
            (start, top + 3, start + (right - start) * predicted[label], top + 12), colour
        )
        write(draw, (right + 4, top), f"{predicted[label]:.2f}", INK, 11)
        top += _LINE
    return top
