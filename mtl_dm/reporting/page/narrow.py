"""Columns of numbers by row, in tables that a page shows without scrolling sideways."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from mtl_dm.reporting.page.markup import escape, number_cell, scroll
from mtl_dm.reporting.page.view import ColumnView

_WIDEST = 960.0
"""Pixels for the numbers of one table: at 1280 none needs scrolling sideways."""
_LETTER, _PADDING = 8.0, 16.0


class Numbers(NamedTuple):
    """One column of a table.

    Attributes:
        head: Above it and its neighbours of the same head.
        title: Its own.
        cells: By row.
        printed: Whether the numbers are the paper's.
    """

    head: str
    title: str
    cells: Mapping[str, str]
    printed: bool = False


def narrow_tables(view: ColumnView, columns: Sequence[Numbers]) -> str:
    """Return the columns as one table, or as several that are narrow enough each."""
    return "".join(_table(view, part) for part in _parts(columns))


def _parts(columns: Sequence[Numbers]) -> list[list[Numbers]]:
    """Return the columns in tables that are narrow enough, what has one head kept together."""
    parts: list[list[Numbers]] = [[]]
    for _, group in groupby(columns, lambda column: column.head):
        rest = list(group)
        if parts[-1] and _pixels([*parts[-1], *rest]) > _WIDEST:
            parts.append([])
        for column in rest:  # A group that is too wide by itself is cut.
            if parts[-1] and _pixels([*parts[-1], column]) > _WIDEST:
                parts.append([])
            parts[-1].append(column)
    return [part for part in parts if part]


def _pixels(columns: Sequence[Numbers]) -> float:
    """Return about how wide columns are: titles break between words, cells before the interval."""
    total = 0.0
    for column in columns:
        words = re.split(r"[ /-]", f"{column.head} {column.title}")
        # The paper's intervals stand in the line, ours below their means.
        cells = [cell if column.printed else cell.split(" ")[0] for cell in column.cells.values()]
        total += _LETTER * max(map(len, [*words, *cells])) + _PADDING
    return total


def _table(view: ColumnView, columns: Sequence[Numbers]) -> str:
    heads = [(head, len(list(group))) for head, group in groupby(c.head for c in columns)]
    top = "".join(f'<th colspan="{n}" scope="colgroup">{escape(head)}</th>' for head, n in heads)
    second = "".join(f'<th scope="col"{_kind(c)}>{escape(c.title)}</th>' for c in columns)
    body = []
    for row in view.spec.rows:
        cells = "".join(f"<td{_kind(c)}>{number_cell(c.cells[row])}</td>" for c in columns)
        body.append(f'<tr><th scope="row">{view.named(row)}</th>{cells}</tr>')
    return scroll(
        f'<table class="main"><thead><tr><th rowspan="2" scope="col">row</th>{top}</tr>'
        f"<tr>{second}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def _kind(column: Numbers) -> str:
    return ' class="printed"' if column.printed else ""
