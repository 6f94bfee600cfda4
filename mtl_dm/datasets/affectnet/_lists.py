"""AffectNet as released in 2017: tables of labels, and images in numbered folders."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from mtl_dm.datasets.affectnet._labels import TASKS, exists, face_box, to_row
from mtl_dm.datasets.reading import Item, Line, Release, Row, Skipped, clean, parse, read_table

COLUMNS = (
    "subDirectory_filePath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "facial_landmarks",
    "expression",
    "valence",
    "arousal",
)


class Part(NamedTuple):
    """One of the two halves of the release; the places are those where people keep it.

    Attributes:
        what: Its name, for messages.
        lists: Where its tables may be.
        images: Where its images may be.
        tables: Split -> table.
        published: Split -> number of rows published.
    """

    what: str
    lists: tuple[str, ...]
    images: tuple[str, ...]
    tables: Mapping[str, str]
    published: Mapping[str, int]


MANUAL = Part(
    "manually annotated",
    ("Manually_Annotated_file_lists", "Manually_Annotated/Manually_Annotated_file_lists"),
    ("Manually_Annotated_Images", "Manually_Annotated/Manually_Annotated_Images"),
    {"train": "training.csv", "validation": "validation.csv"},
    # All eleven ids: 287,651 of the training rows are 0 to 7, and 500 of each id are validation.
    {"train": 414_799, "validation": 5_500},
)

AUTOMATIC = Part(
    "automatically annotated",
    (
        "Automatically_Annotated_file_lists",
        "Automatically_annotated_file_list",
        "Automatically_Annotated/Automatically_Annotated_file_lists",
        "Automatically_Annotated/Automatically_annotated_file_list",
    ),
    ("Automatically_Annotated_Images", "Automatically_Annotated/Automatically_Annotated_Images"),
    {"train": "automatically_annotated.csv"},
    {},
)


def read_lists(root: Path, part: Part, faces: bool) -> Release:
    """Return one half of the release; `exists(root, part.lists)` must hold.

    Args:
        root: The folder of the release.
        part: Which half.
        faces: Whether to crop images to the face box.

    Raises:
        FileNotFoundError: If the images, or all tables, are not there.
    """
    lists = exists(root, part.lists)
    images = exists(root, part.images)
    if images is None:
        raise FileNotFoundError(f"{root}: expected the images in {' or '.join(part.images)}.")
    tables = {
        split: root / str(lists) / name
        for split, name in part.tables.items()
        if (root / str(lists) / name).is_file()
    }
    if not tables:
        expected = " or ".join(part.tables.values())
        raise FileNotFoundError(f"{root / str(lists)}: expected {expected} there.")
    absent = sorted(set(part.tables) - set(tables))
    return Release(
        root,
        {split: functools.partial(_rows, table, images, faces) for split, table in tables.items()},
        listed=(images,),
        published=part.published,
        facts=(f"AffectNet, release of 2017, {part.what}, in {root}.",),
        warnings=tuple(f"No {part.tables[split]}: no {split} split." for split in absent),
        tasks=TASKS,
    )


def _rows(table: Path, images: str, faces: bool) -> Iterator[Item]:
    lines = read_table(table, COLUMNS, header="optional")
    yield from parse(lines, functools.partial(_row, images=images, faces=faces))


def _row(line: Line, images: str, faces: bool) -> Row | Skipped:
    path = f"{images}/{clean(line['subDirectory_filePath'])}"
    row = to_row(path, line["expression"], line["valence"], line["arousal"], line.where)
    if not faces or isinstance(row, Skipped):
        return row
    box = face_box(*(line[f"face_{name}"] for name in ("x", "y", "width", "height")))
    if box is None:
        return Skipped(path, f"{line.where}: no face box to crop to")
    return row._replace(box=box)
