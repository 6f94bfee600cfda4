"""Rows that occur more than once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from mtl_dm.datasets.reading.items import BadLine, Item, Row, Skipped
from mtl_dm.datasets.reading.keys import digest


class Duplicates:
    """Lets the first of several rows with one identity through.

    Args:
        repeated: Digests of the identities that occur more than once.
    """

    def __init__(self, repeated: frozenset[int]) -> None:
        self._repeated = repeated
        self._first: dict[int, Row] = {}

    def without(self, items: Iterable[Item]) -> Iterator[Row | Skipped]:
        """Yield rows; a repetition becomes a skipped item that says of which line.

        Raises:
            ValueError: At a bad line: the release changed since it was surveyed.
        """
        for item in items:
            if isinstance(item, BadLine):
                raise ValueError(str(item))
            # Nothing to look up for nearly every row of nearly every release.
            if self._repeated and isinstance(item, Row):
                yield self._check(item)
            else:
                yield item

    def _check(self, row: Row) -> Row | Skipped:
        key = digest(row.identity)
        if key not in self._repeated:
            return row
        first = self._first.setdefault(key, row)
        if first is row:
            return row
        other = "" if _same(first.labels, row.labels) else ", with other labels"
        here = f"{row.where}: " if row.where else ""
        of = f"of {first.where}" if first.where else "row"
        return Skipped(row.path, f"{here}duplicate {of}{other}; the first is kept")


def _same(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    return first.keys() == second.keys() and all(
        np.array_equal(first[name], second[name], equal_nan=_real(first[name])) for name in first
    )


def _real(value: Any) -> bool:
    return np.asarray(value).dtype.kind == "f"
