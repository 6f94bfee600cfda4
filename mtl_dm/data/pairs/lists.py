"""Lists of pairs as databases publish them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from mtl_dm.data.pairs.pairs import Pairs


class _Line(NamedTuple):
    fold: int
    same: bool
    images: tuple[str, str]
    people: tuple[str, str]


def read_lfw_pairs(path: str | Path) -> Pairs:
    """Return the pairs of Labeled Faces in the Wild's `pairs.txt`.

    A line "folds, n"; then for each fold n lines "person, number, number" (the same person) and n
    lines "person, number, person, number". Images are called "PERSON_0001", without a suffix.

    Args:
        path: The list.

    Raises:
        FileNotFoundError: If it is not there.
        ValueError: If it is no such list, a pair of two people names one, or a person is in two
            folds.
    """
    lines = _fields(path)
    head = lines[0][1] if lines else []
    if len(head) != 2 or not all(part.isdecimal() for part in head):
        raise ValueError(f"{path} must begin with the numbers of folds and pairs, got {head}.")
    folds, size = int(head[0]), 2 * int(head[1])
    if len(lines) != 1 + folds * size:
        raise ValueError(f"{path} must have {folds} x {size} pairs, got {len(lines) - 1}.")
    found = []
    for place, (number, line) in enumerate(lines[1:]):
        same = len(line) == 3
        if len(line) not in (3, 4) or not (line[1] + line[-1]).isdecimal():
            raise _wrong(path, number, "'person, number, number' or 'person, number' twice", line)
        people = (line[0], line[0] if same else line[2])
        if not same and people[0] == people[1]:
            raise _wrong(path, number, "two people where it has four fields", line)
        images = (f"{people[0]}_{int(line[1]):04d}", f"{people[1]}_{int(line[-1]):04d}")
        found.append(_Line(1 + place // size, same, images, people))
    return _checked(path, found)


def read_ytf_pairs(path: str | Path) -> Pairs:
    """Return the pairs of YouTube Faces' `splits.txt`, or of its corrected list.

    Fields between commas: fold, number of the pair, "PERSON/VIDEO" twice, 1 for the same person or
    0, and in the list of six fields, where the fifth is another mark, that in the sixth. A first
    line that does not begin with a number is a heading. What is called an image here is a video.

    Args:
        path: The list.

    Raises:
        FileNotFoundError: If it is not there.
        ValueError: If it is no such list, or a person is in two folds.
    """
    found = []
    for place, (number, line) in enumerate(_fields(path, ",")):
        if place == 0 and not line[0].isdecimal():
            continue
        wanted = "fold, number, 'PERSON/VIDEO' twice and 0 or 1"
        if len(line) not in (5, 6) or not line[0].isdecimal() or line[-1] not in ("0", "1"):
            raise _wrong(path, number, wanted, line)
        people = [video.partition("/")[0] for video in line[2:4]]
        if not all(video.partition("/")[2] for video in line[2:4]):
            raise _wrong(path, number, wanted, line)
        found.append(
            _Line(int(line[0]), line[-1] == "1", (line[2], line[3]), (people[0], people[1]))
        )
    return _checked(path, found)


def read_author_pairs(path: str | Path, folds: int = 10) -> Pairs:
    """Return a list of pairs as Ming et al. publish them for CK+ and Oulu-CASIA.

    Source: github.com/hengxyz/Dynamic_multi-task-learning, data/IdentitySplit_*pairs*.txt: a
    heading, then "number, image, reference, same person, expression of the image, required one,
    that of the reference, whether it is the required one"; images are paths on the authors'
    machine, of which the last three parts are kept ("S085/002/S085_002_00000012.png"; the first of
    them is the person). The expressions are not used. A list is one fold of people; as the
    authors' evaluation does, its lines are cut into consecutive parts of equal size. **These folds
    share people**, so that the threshold of the others has seen those whom it is tested on.

    Args:
        path: The list.
        folds: Parts.

    Raises:
        FileNotFoundError: If it is not there.
        ValueError: If it is no such list or holds fewer pairs than folds.
    """
    lines = _fields(path)[1:]
    if not 1 <= folds <= len(lines):
        raise ValueError(f"{path}: folds must be 1 to {len(lines)}, its pairs, got {folds}.")
    parts = np.array_split(np.arange(len(lines)), folds)
    fold = np.repeat(np.arange(1, folds + 1), [len(part) for part in parts])
    found = []
    for (number, line), of in zip(lines, fold.tolist(), strict=True):
        paths = [PurePosixPath(part) for part in line[1:3]]
        if len(line) != 8 or line[3] not in ("True", "False") or len(paths[1].parts) < 3:
            raise _wrong(path, number, "eight fields, of them two paths and True or False", line)
        names = ["/".join(each.parts[-3:]) for each in paths]
        people = [name.partition("/")[0] for name in names]
        found.append(_Line(of, line[3] == "True", (names[0], names[1]), (people[0], people[1])))
    return _made(found)


def _fields(path: str | Path, between: str | None = None) -> list[tuple[int, list[str]]]:
    """Return number and fields of every line that is not empty."""
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text ({error.reason}); save it as UTF-8.") from error
    return [
        (number, [field.strip() for field in line.split(between)])
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]


def _wrong(path: str | Path, number: int, rule: str, fields: list[str]) -> ValueError:
    return ValueError(f"{path}, line {number}: a pair must have {rule}, got {fields}.")


def _checked(path: str | Path, lines: Sequence[_Line]) -> Pairs:
    """Return the pairs of a list in which no person is in two folds."""
    if not lines:
        raise ValueError(f"{path} holds no pair.")
    folds: dict[str, int] = {}
    for line in lines:
        for person in line.people:
            if folds.setdefault(person, line.fold) != line.fold:
                raise ValueError(
                    f"{path}: a person must be in one fold, {person!r} is in {folds[person]} and "
                    f"{line.fold}."
                )
    return _made(lines)


def _made(lines: Sequence[_Line]) -> Pairs:
    people: dict[str, str] = {}
    for line in lines:
        people.update(zip(line.images, line.people, strict=True))
    place = {name: number for number, name in enumerate(people)}
    first, second = np.array([[place[name] for name in line.images] for line in lines]).T
    return Pairs(
        tuple(people),
        first,
        second,
        np.array([line.same for line in lines]),
        np.array([line.fold for line in lines]),
        tuple(people.values()),
    )
