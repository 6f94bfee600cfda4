"""Reads CUB-200-2011: tables by image id, joined."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from mtl_dm.datasets.cub_200_2011._attributes import Attributes, read_attributes
from mtl_dm.datasets.cub_200_2011._names import ATTRIBUTES, SPECIES
from mtl_dm.datasets.reading import (
    BadLine,
    Box,
    Item,
    Release,
    Row,
    clean,
    flag,
    integer,
    locate,
    number,
    parse,
    strict,
)
from mtl_dm.tasks import Task

TASKS = (Task.multiclass("category", SPECIES), Task.multilabel("attributes", ATTRIBUTES))

PUBLISHED = {"train": 5_994, "test": 5_794}

FOLDER = "CUB_200_2011"
ATTRIBUTE_LABELS = "attributes/image_attribute_labels.txt"
TABLES = (
    "images.txt", "image_class_labels.txt", "train_test_split.txt", "bounding_boxes.txt",
    "classes.txt", ATTRIBUTE_LABELS,
)  # fmt: skip

T = TypeVar("T")


class Line(NamedTuple):
    """One line: an id, then the fields."""

    file: Path
    number: int
    id: str
    cells: list[str]

    @property
    def where(self) -> str:
        """File name and line, for messages."""
        return f"{self.file.name}, line {self.number}"


class Tables(NamedTuple):
    """What the small tables say, by image id."""

    root: Path
    species: dict[str, int]
    training: dict[str, int]
    boxes: dict[str, Box]
    places: dict[str, int]
    attributes: Attributes


def read(source: Path) -> Release:
    """Return the release; see `ReleaseBuilder.release`.

    Raises:
        FileNotFoundError: If a table or the folder of images is not there.
        ValueError: If one of the small tables breaks the format.
    """
    root = locate("CUB-200-2011", source, ["images.txt"], FOLDER)
    absent = [name for name in TABLES if not (root / name).is_file()]
    if not (root / "images").is_dir():
        absent.append("images/")
    if absent:
        raise FileNotFoundError(f"{root} lacks {', '.join(absent)}; expected all of CUB-200-2011.")
    places = _table(root / "images.txt", 1, lambda cells: cells[0])
    places = {key: place for place, key in enumerate(places)}
    tables = Tables(
        root,
        _table(root / "image_class_labels.txt", 1, _species),
        _table(root / "train_test_split.txt", 1, _training),
        _table(root / "bounding_boxes.txt", 4, _box),
        places,
        read_attributes(root / ATTRIBUTE_LABELS, places),
    )
    return Release(
        root,
        {split: functools.partial(_rows, tables, split) for split in PUBLISHED},
        listed=("images",),
        published=PUBLISHED,
        facts=(f"CUB-200-2011 in {root}.",),
        warnings=(*_names(root), *tables.attributes.warnings),
        tasks=TASKS,
    )


def _lines(path: Path, width: int) -> Iterator[Line | BadLine]:
    with path.open(encoding="utf-8-sig") as file:
        try:
            for line_number, text in enumerate(file, start=1):
                key, *cells = text.split() or [""]
                if len(cells) == width:
                    yield Line(path, line_number, key, cells)
                elif key:
                    reason = f"expected an id and {width} field(s), got {len(cells)} field(s)"
                    yield BadLine(path, line_number, reason)
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not UTF-8 text ({error.reason}).") from error


def _table(path: Path, width: int, function: Callable[[list[str]], T]) -> dict[str, T]:
    """Return id -> what the fields of its line mean."""
    values: dict[str, T] = {}

    def add(line: Line) -> None:
        if line.id in values:
            raise ValueError(f"the id {line.id} is there twice")
        values[line.id] = function(line.cells)

    for _ in strict(parse(_lines(path, width), add)):
        pass
    return values


def _species(cells: Sequence[str]) -> int:
    return integer("class", cells[0], 1, len(SPECIES)) - 1


def _training(cells: Sequence[str]) -> int:
    return flag("is_training_image", cells[0], {"1": 1, "0": 0})


def _box(cells: Sequence[str]) -> Box:
    left, top = (number(what, text) for what, text in zip("xy", cells[:2], strict=True))
    # Below a pixel nothing is left to see.
    width, height = (
        number(what, text, low=1) for what, text in zip(("width", "height"), cells[2:], strict=True)
    )
    return Box(left, top, left + width, top + height)


def _names(root: Path) -> Iterator[str]:
    """Warn of names in the release that are not ours: ids, not names, make the labels."""
    species = _table(root / "classes.txt", 1, lambda cells: cells[0].partition(".")[2])
    yield from _differences("classes.txt", species, SPECIES)
    places = (root, root / "attributes", root.parent)
    found = next((place for place in places if (place / "attributes.txt").is_file()), None)
    if found is None:
        yield f"No attributes.txt in {root} or beside it: attributes are named by this package."
        return
    attributes = _table(found / "attributes.txt", 1, lambda cells: cells[0])
    yield from _differences("attributes.txt", attributes, ATTRIBUTES)


def _differences(file: str, found: dict[str, str], names: Sequence[str]) -> Iterator[str]:
    if set(found) != {str(number + 1) for number in range(len(names))}:
        raise ValueError(f"{file}: expected the ids 1 to {len(names)}, got {len(found)} id(s).")
    other = [
        f"{key} is {found[key]}, here {name}"
        for key, name in zip(map(str, range(1, len(names) + 1)), names, strict=True)
        if found[key] != name
    ]
    if other:
        yield f"{file} names {len(other)} of {len(names)} otherwise than this package: {other[0]}."


def _rows(tables: Tables, split: str) -> Iterator[Item]:
    first = split == next(iter(PUBLISHED))
    if first:
        yield from tables.attributes.bad
    row = functools.partial(_row, tables=tables)
    for item in parse(_lines(tables.root / "images.txt", 1), row):
        if isinstance(item, BadLine):
            # Each split passes it; the first one reports it.
            if first:
                yield item
        elif item[0] == split:
            yield item[1]


def _row(line: Line, tables: Tables) -> tuple[str, Row]:
    path = clean(line.cells[0])
    for name, table in (
        ("image_class_labels.txt", tables.species),
        ("train_test_split.txt", tables.training),
        ("bounding_boxes.txt", tables.boxes),
    ):
        if line.id not in table:
            raise ValueError(f"{name} has no line on the image {line.id}")
    place = tables.places[line.id]
    labels = {
        "category": tables.species[line.id],
        "attributes": tables.attributes.labels[place],
        "certainty": tables.attributes.certainty[place],
    }
    row = Row(f"images/{path}", labels, line.where, tables.boxes[line.id])
    return ("train" if tables.training[line.id] else "test"), row
