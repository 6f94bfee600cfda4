"""The table of one session: a frame a line, an action unit a column."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from mtl_dm.datasets.reading import (
    MISSING,
    BadLine,
    Line,
    flag,
    integer,
    parse,
    read_header,
    read_table,
)
from mtl_dm.tasks import ACTION_UNITS

FLAGS = {"1": 1, "0": 0, "9": MISSING}

LAST_FRAME = 1_000_000


class Coded(NamedTuple):
    """One coded frame.

    Attributes:
        frame: Its number, from 1.
        units: Action unit -> 1, 0 or -1; those of `ACTION_UNITS` that the table has.
    """

    frame: int
    units: Mapping[str, int]


def read_units(table: Path) -> Iterator[Coded | BadLine]:
    """Yield the coded frames of a session.

    Raises:
        ValueError: If the first line does not name action units; names the table.
    """
    columns = _columns(table)
    units = [unit for unit in ACTION_UNITS if unit in columns]
    lines = read_table(table, columns, header="absent")
    next(lines)  # the header, whose first cell is no name
    yield from parse(lines, functools.partial(_coded, units=units))


def _columns(table: Path) -> list[str]:
    _, *cells = read_header(table) or [""]
    names = [f"AU{cell.removeprefix('AU')}" for cell in cells]
    if not set(names) & set(ACTION_UNITS) or len(set(names)) < len(names):
        raise ValueError(
            f"{table}, line 1: expected the numbers of action units (0, 1, 2, 4, ...), found "
            f"{cells[:8]}."
        )
    return ["frame", *names]


def _coded(line: Line, units: list[str]) -> Coded:
    frame = integer("the frame", line["frame"], 1, LAST_FRAME)
    return Coded(frame, {unit: flag(unit, line[unit], FLAGS) for unit in units})
