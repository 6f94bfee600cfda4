"""Labeled Faces in the Wild: expressions and people of the same photos, and the official pairs.

Trained on everybody outside the pair folds that are tested: folds 6 to 10, or swapped 1 to 5.
Images without a name are never used, nor do photos train that a test person has under another name
(two of all: known errors of the database).
"""

from __future__ import annotations

import csv
import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.problems.lfw_split import split_by_person
from experiments.problems.people import People, without_copies
from experiments.problems.real_faces_data import cropped_lfw, existing
from mtl_dm.data.pairs import Pairs, read_lfw_pairs
from mtl_dm.progress import counted
from mtl_dm.tasks import EXPRESSIONS

FOLDS = (range(6, 11), range(1, 6))
"""The pair folds that are tested, by half."""


class Photos(NamedTuple):
    """All photos with a name.

    Attributes:
        people: Who is numbered in the order of names.
        names: Of the people, by number.
        files: Name of each photo's file without folder and suffix, "Abel_Pacheco_0001".
        pairs: Text of `pairs.txt`, by which people are split.
    """

    people: People
    names: tuple[str, ...]
    files: tuple[str, ...]
    pairs: str


class Half(NamedTuple):
    """One half: who trains, who is tested, and where the photos of the test lie.

    Attributes:
        train: Images of training people.
        test: Images of test people.
        files: Of the test images, as in `Photos`.
    """

    train: People
    test: People
    files: tuple[str, ...]


def root_of(data_dir: str) -> Path:
    """Return the folder of the photos.

    Args:
        data_dir: The folder that holds `faces/lfw_expressions` or `lfw_expressions`.

    Raises:
        FileNotFoundError: If it holds neither.
    """
    inner = Path(data_dir) / "faces" / "lfw_expressions"
    return inner if inner.is_dir() else existing(Path(data_dir) / "lfw_expressions")


def pairs_of(data_dir: str) -> Pairs:
    """Return the official pairs.

    Raises:
        FileNotFoundError: If they are not there.
        ValueError: If they are no such list.
    """
    return read_lfw_pairs(existing(root_of(data_dir) / "pairs.txt"))


@functools.lru_cache(maxsize=1)
def photos(data_dir: str) -> Photos:
    """Return the photos of `lfw_expressions`, read once in a process.

    Args:
        data_dir: As for `root_of`.

    Raises:
        FileNotFoundError: If something is not there; it is named.
        ValueError: If a file is malformed.
    """
    root = root_of(data_dir)
    with existing(root / "labels.csv").open(encoding="utf-8", newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["identity"]]
    names = sorted({line["identity"] for line in lines})
    number = {name: place for place, name in enumerate(names)}
    seen = counted(lines, "images of LFW read", len(lines))
    people = People(
        np.stack([cropped_lfw(existing(root / line["path"])) for line in seen]),
        np.array([number[line["identity"]] for line in lines], np.int64),
        np.array([_expression(line["expression"]) for line in lines], np.int64),
    )
    pairs = existing(root / "pairs.txt").read_text(encoding="utf-8")
    return Photos(people, tuple(names), tuple(Path(line["path"]).stem for line in lines), pairs)


def half_of(found: Photos, half: int) -> Half:
    """Return who trains and who is tested in a half.

    Args:
        found: Of `photos`.
        half: 0: folds 6 to 10 are tested; 1: folds 1 to 5.

    Raises:
        ValueError: If the pairs are no such list.
    """
    names = [found.names[number] for number in found.people.person]
    side = split_by_person(names, found.pairs, FOLDS[half])
    train, tested = (np.flatnonzero(side == each) for each in ("train", "test"))
    test = found.people.take(tested)
    return Half(
        without_copies(found.people.take(train), test),
        test,
        tuple(found.files[row] for row in tested),
    )


def _expression(name: str) -> int:
    return EXPRESSIONS.index(name) if name in EXPRESSIONS else -1
