"""Reads RAF-DB: a list of names and ids, and a folder of images, for basic and for compound."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from mtl_dm.datasets.reading import (
    BadLine,
    ClassMap,
    Item,
    Line,
    Release,
    Row,
    locate,
    parse,
    read_table,
)
from mtl_dm.tasks import EXPRESSIONS, Task

Images = Literal["aligned", "original"]

# The first spelling is the release's.
LISTS = ("EmoLabel/list_patition_label.txt", "EmoLabel/list_partition_label.txt")

FOLDER = "RAF-DB"

_SPLITS = ("train", "test")
_NAME = re.compile(r"(train|test)_(\w+)\.(jpg|jpeg|png)", re.ASCII | re.IGNORECASE)


class Subset(NamedTuple):
    """One of the two halves of the release.

    Attributes:
        folder: Its folder.
        task: What it is annotated for.
        classes: How.
        published: Split -> number of rows published.
    """

    folder: str
    task: Task
    classes: ClassMap
    published: Mapping[str, int]

    @property
    def lists(self) -> list[str]:
        """Where its list of labels may be."""
        return [f"{self.folder}/{name}" for name in LISTS]


BASIC = Subset(
    "basic",
    Task.multiclass("expression", EXPRESSIONS),
    ClassMap(
        "expression",
        EXPRESSIONS,
        {
            "1": "surprise",
            "2": "fear",
            "3": "disgust",
            "4": "happiness",
            "5": "sadness",
            "6": "anger",
            "7": "neutral",
        },
    ),
    {"train": 12_271, "test": 3_068},
)

# The order of the ids, see README.md for where it is from.
COMPOUND_EXPRESSIONS = (
    "happily surprised",
    "happily disgusted",
    "sadly fearful",
    "sadly angry",
    "sadly surprised",
    "sadly disgusted",
    "fearfully angry",
    "fearfully surprised",
    "angrily surprised",
    "angrily disgusted",
    "disgustedly surprised",
)

COMPOUND = Subset(
    "compound",
    Task.multiclass("compound_expression", COMPOUND_EXPRESSIONS),
    ClassMap(
        "compound_expression",
        COMPOUND_EXPRESSIONS,
        {str(number): name for number, name in enumerate(COMPOUND_EXPRESSIONS, start=1)},
    ),
    {"train": 3_162, "test": 792},
)


def read(source: Path, *, subset: Subset = BASIC, images: Images = "aligned") -> Release:
    """Return one half of the release.

    Args:
        source: The folder that the user gave.
        subset: Which half.
        images: Faces that the owners aligned, or whole pictures.

    Raises:
        FileNotFoundError: If its list or its images are not there.
    """
    root = locate("RAF-DB", source, subset.lists, FOLDER)
    table = next(root / name for name in subset.lists if (root / name).is_file())
    folder = f"{subset.folder}/Image/{images}"
    if not (root / folder).is_dir():
        other = "original" if images == "aligned" else "aligned"
        there = root / subset.folder / "Image" / other
        hint = f" Only the {other} ones are there." if there.is_dir() else ""
        raise FileNotFoundError(f"{root}: expected the {images} images in {folder}.{hint}")
    rows = functools.partial(_rows, table, folder, subset.classes, images)
    return Release(
        root,
        {split: functools.partial(rows, split) for split in _SPLITS},
        listed=(folder,),
        published=subset.published,
        facts=(f"RAF-DB, {subset.folder} expressions, {images} images, in {root}.",),
        tasks=(subset.task,),
    )


def read_either(source: Path) -> Release:
    """Return what a folder holds: the first of the configurations whose files are there.

    Raises:
        FileNotFoundError: If it holds none.
    """
    places = (source, source / FOLDER)
    for subset in (BASIC, COMPOUND):
        if any((place / name).is_file() for place in places for name in subset.lists):
            try:
                return read(source, subset=subset)
            except FileNotFoundError:
                return read(source, subset=subset, images="original")
    return read(source)


def _rows(
    table: Path, folder: str, classes: ClassMap, images: Images, split: str
) -> Iterator[Item]:
    # Separated by one space or several: the line is taken as one column.
    lines = read_table(table, ["name and label"], header="absent", delimiter="\t")
    row = functools.partial(_row, folder=folder, classes=classes, images=images)
    for item in parse(lines, row):
        if isinstance(item, BadLine):
            # Each split's pass meets it; the first one reports it.
            if split == _SPLITS[0]:
                yield item
        elif item[0] == split:
            yield item[1]


def _row(line: Line, folder: str, classes: ClassMap, images: Images) -> tuple[str, Row]:
    parts = line["name and label"].split()
    if len(parts) != 2:
        raise ValueError(f"expected a name and an id (train_00001.jpg 5), got {len(parts)} part(s)")
    name, label = parts
    match = _NAME.fullmatch(name)
    if not match:
        raise ValueError(f"the name is {name!r}; expected train_00001.jpg, test_0001.jpg or so")
    stem, suffix = name.rsplit(".", 1)
    file = f"{stem}_aligned.{suffix}" if images == "aligned" else name
    labels = {classes.task: classes.index(label)}
    return match[1].lower(), Row(f"{folder}/{file}", labels, line.where)
