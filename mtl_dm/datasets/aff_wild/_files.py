"""The text files of Aff-Wild: one value a frame, and the box of the face in a frame."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from mtl_dm.datasets.reading import BadLine, Box, number, parse, read_table

POINTS = 4
"""Corners of a box."""


def read_track(path: Path, name: str) -> Iterator[float | BadLine]:
    """Yield the value of frame 1, 2, ...: line n belongs to frame n.

    Args:
        path: The file.
        name: What it holds, for messages.

    Raises:
        ValueError: If the file is no UTF-8 text.
    """
    last = 0
    for item in parse(
        read_table(path, [name], header="absent"),
        lambda line: (line.number, number(name, line[name], -1, 1)),
    ):
        line = item.line if isinstance(item, BadLine) else item[0]
        if line != last + 1:  # only at the end do empty lines shift nothing
            yield BadLine(path, last + 1, "the line is empty; expected a frame")
            return
        last = line
        yield item if isinstance(item, BadLine) else item[1]


def read_box(path: Path) -> Box | None:
    """Return the box of the face in one frame; None where there is no file, or no area.

    Raises:
        ValueError: If the file is not of the form "version: 1, n_points: 4, { x y ... }".
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name}: not text ({error.reason})") from error
    head, _, rest = text.partition("{")
    points = [line.split() for line in rest.partition("}")[0].splitlines() if line.strip()]
    if f"n_points:{POINTS}" not in "".join(head.split()) or len(points) != POINTS:
        raise ValueError(f"{path.name}: expected n_points: {POINTS} and as many lines in braces")
    try:
        columns = [[float(text) for text in column] for column in zip(*points, strict=True)]
    except ValueError as error:
        raise ValueError(f"{path.name}: expected lines of two numbers ({error})") from error
    if len(columns) != 2 or not all(math.isfinite(each) for column in columns for each in column):
        raise ValueError(f"{path.name}: expected lines of two finite numbers")
    across, down = columns
    box = Box(min(across), min(down), max(across), max(down))
    return box if box.left < box.right and box.top < box.bottom else None
