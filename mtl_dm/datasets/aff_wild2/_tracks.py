"""Label files of one video: a header, then one line a frame."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

from mtl_dm.datasets.aff_wild2._schema import (
    EXPRESSION_COLUMNS,
    VALENCE_AROUSAL_COLUMNS,
    Labels,
    Parser,
    action_units,
    expression,
    valence_arousal,
)
from mtl_dm.datasets.reading import BadLine, read_header
from mtl_dm.tasks import ACTION_UNITS

Kind = str
"""The task that a label file is about."""


def columns_of(path: Path, kind: Kind) -> list[str]:
    """Return the columns that the header of a label file names.

    Raises:
        ValueError: If it is no header of this kind; names file, line and what was expected.
    """
    cells = read_header(path)
    if kind == "valence_arousal":
        fits, expected = cells == list(VALENCE_AROUSAL_COLUMNS), "valence,arousal"
    elif kind == "expression":
        fits = cells in ([*EXPRESSION_COLUMNS], [*EXPRESSION_COLUMNS[:-1]])
        expected = ",".join(EXPRESSION_COLUMNS) + " (or without Other)"
    else:
        fits = bool(cells) and set(cells) <= set(ACTION_UNITS) and len({*cells}) == len(cells)
        expected = f"some of {','.join(ACTION_UNITS)}"
    if not fits:
        raise ValueError(f"{path}, line 1: expected the header {expected}; found {cells[:13]}.")
    return cells


def read_track(path: Path, kind: Kind) -> Iterator[Labels | BadLine]:
    """Yield the labels of frame 1, 2, ...; the position in the file is the number of the frame.

    Raises:
        ValueError: If the header is none, or the file is no UTF-8 text.
    """
    columns = columns_of(path, kind)
    read = functools.partial(_read, width=1 if kind == "expression" else len(columns))
    parser = _parser(kind, columns)
    known: dict[str, Labels] = {}  # few lines differ, except in valence and arousal
    empty: list[int] = []
    for number, text in _lines(path):
        if not text:
            empty.append(number)
            continue
        # Only at the end of the file do empty lines shift nothing.
        yield from (BadLine(path, line, "the line is empty; expected a frame") for line in empty)
        empty.clear()
        try:
            if text not in known:
                known[text] = parser(read(text))
            yield known[text]
        except ValueError as error:
            yield BadLine(path, number, str(error))
        if kind == "valence_arousal":
            known.clear()


def _parser(kind: Kind, columns: Sequence[str]) -> Parser:
    if kind == "valence_arousal":
        return valence_arousal
    if kind == "action_units":
        return functools.partial(action_units, names=columns)
    ids = {str(number) for number in range(len(columns))} | {"-1"}

    def known_expression(cells: Sequence[str]) -> Labels:
        if cells[0] not in ids:
            raise ValueError(
                f"expression is {cells[0]!r}; expected a number from -1 to {len(columns) - 1}"
            )
        return expression(cells[0])

    return known_expression


def _read(text: str, width: int) -> list[str]:
    cells = [cell.strip() for cell in text.split(",")]
    if len(cells) != width:
        raise ValueError(f"expected {width} column(s), got {len(cells)}")
    return cells


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield number and text of the lines below the header."""
    with path.open(encoding="utf-8-sig") as file:
        try:
            for number, line in enumerate(file, start=1):
                if number > 1:
                    yield number, line.strip()
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not UTF-8 text ({error.reason}); save it so.") from error


def count_frames(path: Path) -> int:
    """Return the number of lines below the header, without looking at them."""
    with path.open("rb") as file:
        count, last = 0, b"\n"
        while chunk := file.read(1 << 20):
            count += chunk.count(b"\n")
            last = chunk[-1:]
    return count + (last != b"\n") - 1
