"""Reads EmotioNet's images of six basic and ten compound expressions.

Second-hand, from public readers of URLsWithEmotionCat_aws.xlsx: columns url_server, one for the
original URL, and 16 categories in the order of the alphabet, 1 for the one that is shown; for the
others one reader expects -1, the rest anything but 1. Not verified: that URLs end as those of the
action units do (N_<digits>_<digits>.jpg), and how many rows there are.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

from mtl_dm.datasets.emotionet._images import Place, file_name, find_images
from mtl_dm.datasets.emotionet._tables import column, find_tables, read_lines
from mtl_dm.datasets.reading import (
    ClassMap,
    Item,
    Line,
    Release,
    Row,
    Skipped,
    flag,
    parse,
)
from mtl_dm.tasks import EXPRESSIONS, Task

TABLES = ("URLsWithEmotionCat*", "labels/URLsWithEmotionCat*")

BASIC = EXPRESSIONS[1:]
"""None is neutral."""

# The order of RAF-DB's for those that it has, too.
COMPOUND = (
    "happily surprised",
    "happily disgusted",
    "sadly angry",
    "sadly disgusted",
    "fearfully angry",
    "fearfully surprised",
    "angrily surprised",
    "angrily disgusted",
    "awed",
    "appalled",
)

TASKS = (
    Task.multiclass("expression", BASIC),
    Task.multiclass("compound_expression", COMPOUND),
)

_BASIC_NAMES = {
    "angry": "anger",
    "disgusted": "disgust",
    "fearful": "fear",
    "happy": "happiness",
    "sad": "sadness",
    "surprised": "surprise",
}

BASIC_CLASSES = ClassMap("expression", BASIC, _BASIC_NAMES)

COMPOUND_CLASSES = ClassMap(
    "compound_expression",
    COMPOUND,
    {name.replace(" ", "_"): name for name in sorted(COMPOUND)},
)

CATEGORIES = (*BASIC_CLASSES.names, *COMPOUND_CLASSES.names)

# A table tool writes 1.0 where a column of whole numbers has gaps.
_SHOWN = {"1": 1, "1.0": 1}
_NOT_SHOWN = ("0", "-1", "999", "", "0.0", "-1.0", "999.0")
_FLAGS = {**_SHOWN, **dict.fromkeys(_NOT_SHOWN, 0)}


def read_compound(source: Path) -> Release:
    """Return the images with a category.

    Args:
        source: The folder that the user gave.

    Raises:
        FileNotFoundError: If there is no table or no image.
        ValueError: If images are in several places, or a table needs openpyxl and that is missing.
    """
    root, tables = find_tables("EmotioNet with categories", source, TABLES)
    place = find_images(root)
    return Release(
        root,
        {"train": functools.partial(_rows, tables, place)},
        listed=(place.folder or ".",),
        facts=(
            f"EmotioNet, {len(BASIC)} basic and {len(COMPOUND)} compound expressions "
            f"({', '.join(table.name for table in tables)}), in {root}.",
            f"Images: {place}.",
        ),
        tasks=TASKS,
    )


def _rows(tables: Sequence[Path], place: Place) -> Iterator[Item]:
    for table in tables:
        row = functools.partial(_row, place=place, table=table.stem)
        yield from parse(read_lines(table, ("URL", *CATEGORIES), _column), row)


def _column(cell: str) -> str:
    name = column(cell)
    return "URL" if name == "url_server" else name


def _row(line: Line, place: Place, table: str) -> Row | Skipped:
    path = place.path(file_name(line["URL"]), table)
    shown = [name for name in CATEGORIES if flag(name, line[name], _FLAGS) == 1]
    if len(shown) != 1:
        what = f"several categories ({', '.join(shown)})" if shown else "no category"
        return Skipped(path, f"{line.where}: {what}")
    classes = BASIC_CLASSES if shown[0] in BASIC_CLASSES.names else COMPOUND_CLASSES
    return Row(path, {classes.task: classes.index(shown[0])}, line.where)
