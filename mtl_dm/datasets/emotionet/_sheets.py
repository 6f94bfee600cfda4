"""Reads the rows of an XLSX file as a stream, where openpyxl is installed."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mtl_dm.files import require_modest

Cells = Iterator[tuple[int, list[str]]]


def require_openpyxl(path: Path) -> Any:
    """Return the module openpyxl.

    Raises:
        ValueError: If it is not installed; says what to do.
    """
    try:
        return importlib.import_module("openpyxl")
    except ImportError as error:
        raise ValueError(
            f"{path}: reading an XLSX file needs openpyxl. Install it (pip install openpyxl), or "
            "save the table as CSV beside it."
        ) from error


def read_sheets(path: Path) -> Iterator[tuple[Path, Cells]]:
    """Yield every sheet that is not empty: a name for messages, and its rows as text.

    Each sheet must be read before the next one is asked for.

    Raises:
        ValueError: If openpyxl is not installed, or the file is none that it reads or unpacks to
            many times its size.
    """
    openpyxl = require_openpyxl(path)
    try:
        require_modest(path)  # Texts that cells share are held in memory, all of them.
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # a dozen types for a file that is none
        raise ValueError(f"{path}: not an XLSX file that can be read ({error})") from error
    try:
        for sheet in book.worksheets:
            rows = _rows(sheet)
            first = next(rows, None)
            if first is not None:
                name = path.with_name(f"{path.name} [{sheet.title}]")
                yield name, _same_width(first, rows)
    finally:
        book.close()


def _rows(sheet: Any) -> Cells:
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        cells = [_text(value) for value in row]
        if any(cells):
            yield number, cells


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a table tool stores every number as a real one
    return "" if value is None else str(value).strip()


def _same_width(first: tuple[int, list[str]], rows: Cells) -> Cells:
    """Yield rows as wide as the header: a sheet does not say where its rows end."""
    number, header = first
    header = _trimmed(header)
    yield number, header
    for number, cells in rows:
        cells = _trimmed(cells)
        yield number, cells + [""] * (len(header) - len(cells))


def _trimmed(cells: list[str]) -> list[str]:
    used = max((index for index, cell in enumerate(cells, start=1) if cell), default=0)
    return cells[:used]
