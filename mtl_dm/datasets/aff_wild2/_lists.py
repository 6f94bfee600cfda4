"""The s-Aff-Wild2 form: one list a set, all labels of a frame on one line."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

from mtl_dm.datasets.aff_wild2._schema import (
    IMAGE_FOLDERS,
    TASKS,
    UNITS,
    action_units,
    expression,
    image_folder,
    valence_arousal,
    why_nothing,
)
from mtl_dm.datasets.reading import (
    BadLine,
    Item,
    Line,
    Release,
    Row,
    Skipped,
    clean,
    parse,
    read_header,
    read_table,
)

LISTS = {
    "training_set_annotations.txt": "train",
    "validation_set_annotations.txt": "validation",
}

COLUMNS = ("image", "valence", "arousal", "expression", *UNITS)

SHORT_HEADER = ("image", "valence", "arousal", "expression", "aus")
"""The released header: one name for the twelve columns of action units."""


def release(root: Path, annotations: Path) -> Release:
    """Return the release whose lists are in `annotations`.

    Raises:
        ValueError: If a header is wrong.
    """
    present = [name for name in LISTS if (annotations / name).is_file()]
    absent = [name for name in LISTS if name not in present]
    for name in present:
        _has_header(annotations / name)
    return Release(
        root,
        {LISTS[name]: functools.partial(_rows, root, annotations / name) for name in present},
        listed=tuple(folder for folder in IMAGE_FOLDERS if (root / folder).is_dir()),
        facts=(f"s-Aff-Wild2 (lists of frames) in {root}.",),
        warnings=tuple(f"No file {name}: no split {LISTS[name]}." for name in absent),
        tasks=TASKS,
    )


def _rows(root: Path, table: Path) -> Iterator[Item]:
    yield from parse(_lines(table), functools.partial(_row, folder=_folders(root)))


def _folders(root: Path) -> Callable[[str], str]:
    # A few hundred videos: each is looked for on disk once.
    return functools.cache(functools.partial(image_folder, root))


def _row(line: Line, folder: Callable[[str], str]) -> Item:
    image = clean(line["image"])
    path = f"{folder(image.partition('/')[0])}/{image}"
    labels = {
        **expression(line["expression"]),
        **action_units([line[name] for name in UNITS], UNITS),
        **valence_arousal([line["valence"], line["arousal"]]),
    }
    reason = why_nothing(labels)
    return Skipped(path, f"{line.where}: {reason}") if reason else Row(path, labels, line.where)


def _lines(table: Path) -> Iterator[Line | BadLine]:
    lines = read_table(table, COLUMNS, header="absent")
    if _has_header(table):
        next(lines)
    return lines


def _has_header(table: Path) -> bool:
    cells = read_header(table)
    if cells in ([*SHORT_HEADER], [*COLUMNS]):
        return True
    if len(cells) == len(COLUMNS) and "." in Path(cells[0]).name:
        return False
    raise ValueError(
        f"{table}, line 1: expected the header {','.join(SHORT_HEADER)}, or a frame with "
        f"{len(COLUMNS)} columns; found {cells[:5]}."
    )
