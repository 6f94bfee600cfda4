"""Reads CelebA with identities: list_attr_celeba.txt and identity_CelebA.txt."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mtl_dm.datasets._check import count_warnings
from mtl_dm.datasets.celeb_a_identity._split import SEED, SPLITS, subject_dependent
from mtl_dm.datasets.reading import (
    BadLine,
    Item,
    Release,
    Row,
    clean,
    flag,
    integer,
    locate,
    parse,
    strict,
)
from mtl_dm.tasks import Task

IMAGES = 202_599
IDENTITIES = 10_177

ATTRIBUTES = (
    "5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs",
    "Big_Lips", "Big_Nose", "Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows",
    "Chubby", "Double_Chin", "Eyeglasses", "Goatee", "Gray_Hair", "Heavy_Makeup",
    "High_Cheekbones", "Male", "Mouth_Slightly_Open", "Mustache", "Narrow_Eyes", "No_Beard",
    "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks", "Sideburns",
    "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat",
    "Wearing_Lipstick", "Wearing_Necklace", "Wearing_Necktie", "Young",
)  # fmt: skip
"""The attributes, in the order of line 2 of the file."""

TASKS = (
    # The people have numbers, no names.
    Task.multiclass("identity", tuple(str(number + 1) for number in range(IDENTITIES))),
    Task.multilabel("attributes", ATTRIBUTES),
)

ATTRIBUTE_FILE = "list_attr_celeba.txt"
IDENTITY_FILE = "identity_CelebA.txt"
FOLDERS = ("Img/img_align_celeba", "img_align_celeba")

_FLAGS = {"1": 1, "-1": 0}


class Line(NamedTuple):
    """One line of a file whose columns are separated by spaces."""

    file: Path
    number: int
    cells: list[str]

    @property
    def where(self) -> str:
        """File name and line, for messages."""
        return f"{self.file.name}, line {self.number}"


class Person(NamedTuple):
    """Who is on an image, and in which split the image is."""

    identity: int
    split: str


def read(source: Path) -> Release:
    """Return the release; see `ReleaseBuilder.release`.

    Raises:
        FileNotFoundError: If a label file or the images are not there.
        ValueError: If the attributes are others, or a line of the identities breaks the format.
    """
    root, labels, images = _find(source)
    declared = _check_header(labels / ATTRIBUTE_FILE)
    people = read_people(labels / IDENTITY_FILE)
    counts = Counter(person.identity for person in people.values())
    few = Counter(counts.values())
    return Release(
        root,
        {
            split: functools.partial(_rows, labels / ATTRIBUTE_FILE, images, people, split)
            for split in SPLITS
        },
        listed=(images,),
        facts=(
            f"CelebA in {root}: {len(counts):,} identities.",
            f"Every identity is in all three splits (seed {SEED}), except {few[2]:,} with two "
            f"images (train and test) and {few[1]:,} with one (train).",
        ),
        warnings=(
            *count_warnings("images", len(people), IMAGES),
            *count_warnings("identities", len(counts), IDENTITIES),
            *_disagreement(declared, _count(labels / ATTRIBUTE_FILE), len(people)),
        ),
        tasks=TASKS,
    )


def _find(source: Path) -> tuple[Path, Path, str]:
    """Return the root, the folder of the label files and that of the images."""
    expected = [f"Anno/{ATTRIBUTE_FILE}", ATTRIBUTE_FILE]
    root = locate(
        "CelebA", source, expected, "CelebA" if (source / "CelebA").is_dir() else "celeba"
    )
    labels = next(folder for folder in (root / "Anno", root) if (folder / ATTRIBUTE_FILE).is_file())
    if not (labels / IDENTITY_FILE).is_file():
        raise FileNotFoundError(
            f"{labels} has no {IDENTITY_FILE}: expected it beside {ATTRIBUTE_FILE} (the owners of "
            "CelebA hand it out on request)."
        )
    images = next((folder for folder in FOLDERS if (root / folder).is_dir()), None)
    if images is None:
        raise FileNotFoundError(f"{root} has no images: expected {' or '.join(FOLDERS)} there.")
    return root, labels, images


def _lines(path: Path, skip: int = 0) -> Iterator[Line]:
    with path.open(encoding="utf-8-sig") as file:
        try:
            for number, text in enumerate(file, start=1):
                if number > skip and (cells := text.split()):
                    yield Line(path, number, cells)
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not UTF-8 text ({error.reason}).") from error


def _check_header(path: Path) -> int:
    """Check the names in line 2 and return the number of images that line 1 gives."""
    head = [line for line, _ in zip(_lines(path), range(2), strict=False)]
    if len(head) < 2 or head[0].cells[1:] or not head[0].cells[0].isdigit():
        raise ValueError(f"{path}, line 1: expected the number of images, and names in line 2.")
    names = head[1].cells
    if tuple(names) != ATTRIBUTES:
        wrong = [name for name in names if name not in ATTRIBUTES]
        raise ValueError(
            f"{path}, line 2: expected the {len(ATTRIBUTES)} attributes ({ATTRIBUTES[0]}, "
            f"{ATTRIBUTES[1]}, ..., {ATTRIBUTES[-1]}) in this order; found {len(names)} names"
            f"{f', unknown: {wrong[:5]}' if wrong else ''}."
        )
    return int(head[0].cells[0])


def _count(path: Path) -> int:
    with path.open("rb") as file:
        return sum(not line.isspace() for line in file) - 2


def _disagreement(declared: int, attributes: int, identities: int) -> Iterator[str]:
    if declared != attributes:
        yield f"{ATTRIBUTE_FILE} announces {declared:,} images and lists {attributes:,}."
    if identities != attributes:
        yield (
            f"{IDENTITY_FILE} lists {identities:,} images, {ATTRIBUTE_FILE} {attributes:,}; an "
            "image without attributes is left out."
        )


def read_people(path: Path) -> dict[str, Person]:
    """Return image -> person and split, in the order of the file.

    Raises:
        ValueError: If a line breaks the format or names an image again; says which.
    """
    identities: dict[str, int] = {}
    for image, identity in strict(parse(_lines(path), _person)):
        if identities.setdefault(image, identity) != identity:
            raise ValueError(f"{path}: {image} has two identities.")
    splits = subject_dependent(list(identities.values()), list(identities))
    return {
        image: Person(identity, SPLITS[split])
        for (image, identity), split in zip(identities.items(), splits, strict=True)
    }


def _person(line: Line) -> tuple[str, int]:
    if len(line.cells) != 2:
        raise ValueError(f"expected an image and an identity, got {len(line.cells)} column(s)")
    return clean(line.cells[0]), integer("identity", line.cells[1], 1, IDENTITIES) - 1


def _rows(path: Path, images: str, people: dict[str, Person], split: str) -> Iterator[Item]:
    for item in parse(_lines(path, skip=2), functools.partial(_row, images=images, people=people)):
        if isinstance(item, BadLine):
            # Each split passes it; the first one reports it.
            if split == SPLITS[0]:
                yield item
        elif item[0] == split:
            yield item[1]


def _row(line: Line, images: str, people: dict[str, Person]) -> tuple[str, Row]:
    if len(line.cells) != 1 + len(ATTRIBUTES):
        raise ValueError(
            f"expected an image and {len(ATTRIBUTES)} values, got {len(line.cells)} column(s)"
        )
    image = clean(line.cells[0])
    if image not in people:
        raise ValueError(f"{image} has no identity in {IDENTITY_FILE}")
    values = [
        flag(name, text, _FLAGS) for name, text in zip(ATTRIBUTES, line.cells[1:], strict=True)
    ]
    labels = {"identity": people[image].identity, "attributes": np.array(values, dtype=np.int8)}
    return people[image].split, Row(f"{images}/{image}", labels, line.where)


def assignments(source: Path) -> Iterator[tuple[str, str]]:
    """Yield path and split of every image that has an identity."""
    _, labels, images = _find(source)
    for image, person in read_people(labels / IDENTITY_FILE).items():
        yield f"{images}/{image}", person.split
