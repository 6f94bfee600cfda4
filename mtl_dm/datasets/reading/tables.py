"""Reads tables of text line by line: tolerant of how they were saved, strict about columns."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from mtl_dm.datasets.reading.items import BadLine
from mtl_dm.spec import repeated

Header = Literal["required", "absent", "optional"]


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of a table.

    Attributes:
        file: The table.
        number: Number of its line in the file, from 1.
        columns: Column name -> position in `cells`.
        cells: The text of every column, without white space around it.
    """

    file: Path
    number: int
    columns: dict[str, int]
    cells: list[str]

    def __getitem__(self, column: str) -> str:
        return self.cells[self.columns[column]]

    def get(self, column: str, default: str = "") -> str:
        """Return the text of a column, or `default` where the table has no such column."""
        return self.cells[self.columns[column]] if column in self.columns else default

    @property
    def where(self) -> str:
        """File name and line, for messages."""
        return f"{self.file.name}, line {self.number}"


def read_table(
    path: Path,
    columns: Sequence[str],
    *,
    header: Header = "required",
    optional: Sequence[str] = (),
    others: bool = False,
    delimiter: str = ",",
    rename: Callable[[str], str] = str.strip,
) -> Iterator[Line | BadLine]:
    r"""Yield the lines of a table; a byte order mark, CRLF, quotes and empty lines are no trouble.

    Args:
        path: A UTF-8 text file.
        columns: Columns that must be there; without a header, all columns in their order.
        header: Whether the first line names the columns. "optional": it does if one of its cells
            is the name of a column.
        optional: Further columns that a header may name.
        others: Whether a header may name columns beyond these.
        delimiter: What separates columns, such as "," or "\t".
        rename: Turns a cell of the header into the column's name.

    Yields:
        Lines, and a `BadLine` for each whose number of columns is not the header's.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no UTF-8 text, is empty where a header must be, or its header
            lacks columns, repeats them or has unknown ones. Names file, line and rule.
    """
    yield from table_lines(
        path,
        _cells(path, delimiter),
        columns,
        header=header,
        optional=optional,
        others=others,
        delimiter=delimiter,
        rename=rename,
    )


def table_lines(
    path: Path,
    rows: Iterator[tuple[int, list[str]]],
    columns: Sequence[str],
    *,
    header: Header = "required",
    optional: Sequence[str] = (),
    others: bool = False,
    delimiter: str = ",",
    rename: Callable[[str], str] = str.strip,
) -> Iterator[Line | BadLine]:
    """Yield the lines of a table whose cells were read by other means than `read_table`.

    Args:
        path: Where they are from, for messages.
        rows: Number and cells of every line that is not empty.
        columns: As for `read_table`, like all that follow.
        header: See there.
        optional: See there.
        others: See there.
        delimiter: See there; for messages.
        rename: See there.

    Yields:
        Lines, and a `BadLine` for each whose number of columns is not the header's.

    Raises:
        ValueError: If there are no rows where a header must be, or the header lacks columns,
            repeats them or has unknown ones.
    """
    number, first = next(rows, (1, []))
    names = [rename(cell) for cell in first]
    known = {*columns, *optional}
    if header == "required" or (header == "optional" and known & set(names)):
        order = _check_header(path, number, names, columns, None if others else known, delimiter)
    else:
        order = {name: index for index, name in enumerate(columns)}
        if first:
            yield _line(path, number, order, first)
    for number, cells in rows:
        yield _line(path, number, order, cells)


def read_header(path: Path, *, delimiter: str = ",") -> list[str]:
    """Return the cells of the first line.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no UTF-8 text.
    """
    _, cells = next(_cells(path, delimiter), (1, []))
    return [cell.strip() for cell in cells]


def _line(path: Path, number: int, order: dict[str, int], cells: list[str]) -> Line | BadLine:
    if len(cells) != len(order):
        return BadLine(path, number, f"expected {_list(order)}, got {len(cells)} column(s)")
    return Line(path, number, order, [cell.strip() for cell in cells])


def _list(names: Any) -> str:
    names = list(names)
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return f"{len(names)} column(s) ({shown})"


def _check_header(
    path: Path,
    number: int,
    names: list[str],
    columns: Sequence[str],
    known: set[str] | None,
    delimiter: str,
) -> dict[str, int]:
    place = f"{path}, line {number}"
    if not names:
        raise ValueError(f"{place}: expected a header naming {_list(columns)}, the file is empty.")
    there = set(names)
    missing = [name for name in columns if name not in there]
    if missing:
        other = next((mark for mark in ";\t," if mark != delimiter and mark in names[0]), None)
        hint = f" The columns seem to be separated by {other!r}." if other else ""
        raise ValueError(
            f"{place}: the header lacks {missing}; expected {_list(columns)} separated by "
            f"{delimiter!r}, found {names[:8]}.{hint}"
        )
    twice = repeated(names)
    if twice:
        raise ValueError(f"{place}: the header names columns twice: {twice}.")
    extra = [name for name in names if known is not None and name not in known]
    if extra:
        raise ValueError(f"{place}: unknown columns {extra}; expected {_list(columns)}.")
    return {name: index for index, name in enumerate(names)}


def _cells(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of every line that is not empty."""
    last = 0
    # newline="": the csv module splits lines itself, also inside quotes.
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                number, last = last + 1, reader.line_num
                if any(cell.strip() for cell in cells):
                    yield number, cells
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{path}, after line {last}: not UTF-8 text ({error.reason}); save it as UTF-8."
            ) from error
        except csv.Error as error:
            raise ValueError(f"{path}, line {last + 1}: {error}.") from error
