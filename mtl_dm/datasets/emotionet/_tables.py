"""The tables of EmotioNet, as CSV or as XLSX."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mtl_dm.datasets.emotionet._sheets import read_sheets, require_openpyxl
from mtl_dm.datasets.reading import BadLine, Line, locate, read_table, table_lines

FOLDER = "EmotioNet"


def find_tables(what: str, source: Path, names: Sequence[str]) -> tuple[Path, list[Path]]:
    """Return the root of the release and its tables, in the order of their names.

    Args:
        what: What they hold, for the message.
        source: The folder that the user gave.
        names: How they may be called, without ending; globs.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If one needs openpyxl, and that is not installed.
    """
    expected = [f"{name}{ending}" for name in names for ending in (".csv", ".xlsx")]
    root = locate(what, source, expected, FOLDER)
    tables = {path for name in expected for path in root.glob(name)}
    # The same table in both formats is read once.
    tables -= {path.with_suffix(".xlsx") for path in tables if path.suffix == ".csv"}
    for path in sorted(tables):
        if path.suffix == ".xlsx":
            require_openpyxl(path)
    return root, sorted(tables)


def column(cell: str) -> str:
    """Return AU1 for 'AU 1', which the release writes with its quotes and spaces."""
    return re.sub(r"[\s'\"]", "", cell)


def read_lines(
    table: Path, columns: Sequence[str], rename: Callable[[str], str] = column
) -> Iterator[Line | BadLine]:
    """Yield the lines of a table, of all its sheets; it may have further columns.

    Raises:
        ValueError: If a header lacks columns, or the file cannot be read.
    """
    if table.suffix == ".csv":
        yield from read_table(table, columns, others=True, rename=rename)
        return
    for name, cells in read_sheets(table):
        yield from table_lines(name, cells, columns, others=True, rename=rename)
