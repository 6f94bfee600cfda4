"""Reads EmotioNet: the manually annotated table, and the automatically annotated lists."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mtl_dm.datasets.emotionet._categories import TABLES as CATEGORY_TABLES
from mtl_dm.datasets.emotionet._categories import read_compound
from mtl_dm.datasets.emotionet._images import Place, file_name, find_images
from mtl_dm.datasets.emotionet._tables import FOLDER, find_tables, read_lines
from mtl_dm.datasets.reading import (
    MISSING,
    BadLine,
    Item,
    Line,
    Release,
    Row,
    Skipped,
    flag,
    in_order,
    locate,
    parse,
    read_table,
)
from mtl_dm.tasks import ACTION_UNITS, Task

TASKS = (Task.multilabel("action_units", ACTION_UNITS),)

UNITS_2017 = tuple(f"AU{number}" for number in (1, 2, 4, 5, 6, 9, 12, 17, 20, 25, 26))
"""Of the challenge of 2017; the 11 of the paper."""

# Of the challenge of 2020, which further has 18, 28, 43 and 51 to 56 (movements of lips, eyelids
# and head): those are none of the 17 of Table 1.
UNITS_2020 = tuple(f"AU{number}" for number in (1, 2, 4, 5, 6, 9, 10, 12, 15, 17, 20, 24, 25, 26))
"""Of the challenge of 2020, as far as they are in `ACTION_UNITS`."""

TABLES = ("EmotioNet_FACS*", "emotionet_facs*", "labels/EmotioNet_FACS*", "labels/emotionet_facs*")
LISTS = ("dataFile_*.txt", "*/dataFile_*.txt")

PUBLISHED = {"train": 24_600}

FLAGS = {"1": 1, "0": 0, "999": MISSING, "": MISSING}
# A table tool writes 1.0 where a column of whole numbers has gaps.
_FLAGS = {**FLAGS, "1.0": 1, "0.0": 0, "999.0": MISSING}

_LIST_COLUMNS = ("URL", "URLorig", *(f"AU{number}" for number in range(1, 61)))

_Lines = Callable[[Path, Sequence[str]], Iterator[Line | BadLine]]


def read_manual(source: Path, *, units: Sequence[str] = UNITS_2017) -> Release:
    """Return the manually annotated images.

    Args:
        source: The folder that the user gave.
        units: The action units to read; rows with none of them are skipped.

    Raises:
        FileNotFoundError: If there is no table or no image.
        ValueError: If images are in several places, or a table needs openpyxl and that is missing.
    """
    root, tables = find_tables("manually annotated EmotioNet", source, TABLES)
    return _release(root, "manually", tables, _table_lines, units, PUBLISHED)


def read_automatic(source: Path, *, units: Sequence[str] = UNITS_2017) -> Release:
    """Return the automatically annotated images.

    Args:
        source: As for `read_manual`.
        units: As for `read_manual`.

    Raises:
        FileNotFoundError: If there is no list or no image.
        ValueError: If images are in several places.
    """
    root = locate("automatically annotated EmotioNet", source, LISTS, FOLDER)
    lists = {path for name in LISTS for path in root.glob(name)}
    return _release(root, "automatically", sorted(lists), _list_lines, units, {})


def read_either(source: Path) -> Release:
    """Return what a folder holds, the first of: manually or automatically annotated, categories.

    Raises:
        FileNotFoundError: If it holds none of them.
        ValueError: As `read_manual` does.
    """
    places = (source, source / FOLDER)
    for names, read in (
        (TABLES, read_manual),
        (LISTS, read_automatic),
        (CATEGORY_TABLES, read_compound),
    ):
        if any(any(place.glob(name)) for place in places for name in names):
            return read(source)
    return read_manual(source)


def _release(
    root: Path,
    how: str,
    tables: Sequence[Path],
    lines: _Lines,
    units: Sequence[str],
    published: dict[str, int],
) -> Release:
    place = find_images(root)
    names = ", ".join(path.name for path in tables[:5]) + (", ..." if len(tables) > 5 else "")
    return Release(
        root,
        {"train": functools.partial(_rows, tables, lines, place, tuple(units))},
        listed=(place.folder or ".",),
        published=published,
        facts=(
            f"EmotioNet, {how} annotated ({len(tables)} table(s): {names}), in {root}.",
            f"Images: {place}. Action units: {len(units)} of {len(ACTION_UNITS)}.",
        ),
        tasks=TASKS,
    )


def _rows(
    tables: Sequence[Path], lines: _Lines, place: Place, units: tuple[str, ...]
) -> Iterator[Item]:
    for table in tables:
        row = functools.partial(_row, place=place, table=table.stem, units=units)
        yield from parse(lines(table, units), row)


def _table_lines(table: Path, units: Sequence[str]) -> Iterator[Line | BadLine]:
    yield from read_lines(table, ("URL", *units))


def _list_lines(table: Path, units: Sequence[str]) -> Iterator[Line | BadLine]:
    del units  # the lists always have all
    yield from read_table(table, _LIST_COLUMNS, header="absent", delimiter="\t")


def _row(line: Line, place: Place, table: str, units: tuple[str, ...]) -> Row | Skipped:
    path = place.path(file_name(line["URL"]), table)
    values = {unit: flag(unit, line[unit], _FLAGS) for unit in units}
    if set(values.values()) == {MISSING}:
        return Skipped(path, f"{line.where}: none of the {len(units)} action units is annotated")
    return Row(path, {"action_units": in_order(values, ACTION_UNITS)}, line.where)
