"""Why a table gives too little: its lines, rather than what is left of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mtl_dm.datasets.reading import BadLine

_SHOWN = 10


def why_too_little(items: Iterable[Any], table: Path, width: int) -> list[str]:
    """Return the first bad lines and what all of them share; nothing where no line is bad.

    Args:
        items: What became of every line of the table.
        table: The table.
        width: Number of columns in the header.
    """
    bad: list[BadLine] = []
    wide = count = total = 0
    for item in items:
        total += 1
        if isinstance(item, BadLine):
            count += 1
            wide += f"got {width + 1} column(s)" in item.reason
            bad += [item] if count <= _SHOWN else []
    reasons = [str(item) for item in bad]
    if count > len(bad):
        reasons.append(f"... and {count - len(bad):,} more bad lines, of {total:,}.")
    if count and wide == total:
        reasons.append(
            f"{table}: every line has one cell more than the header: row names at its start, which "
            "R writes unless told row.names=FALSE, or a comma at its end?"
        )
    if not total:
        reasons.append(f"{table}: there is a header, and no row.")
    return reasons
