"""Reads BP4D and BP4D+: a table of action units a session, and a folder of frames.

Second-hand, from public readers of both releases: `AUCoding/AU_OCC/F001_T1.csv`, whose first line
names the action units (its first cell, 0 or 1, says nothing) and whose others are a frame, counted
from 1, and 1, 0 or 9 (unknown) for each; column 99 flags frames that could not be coded, whose
cells are 9. Readers of BP4D take frame 2440 for the image 2440.jpg. One reader of BP4D+ compared
landmarks with images and found frame 1 in 0000.jpg. Not verified here: either of the two.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mtl_dm.datasets._check import count_warnings
from mtl_dm.datasets.bp4d._releases import ORIGINAL, PLUS, Edition
from mtl_dm.datasets.bp4d._tables import read_units
from mtl_dm.datasets.reading import (
    BadLine,
    Frames,
    Item,
    Release,
    Row,
    Skipped,
    by_subject,
    in_order,
    locate,
)
from mtl_dm.datasets.reading.subjects import SEED, SPLITS
from mtl_dm.tasks import ACTION_UNITS, Task

TASKS = (Task.multilabel("action_units", ACTION_UNITS),)

FOLDERS = ("BP4D", "BP4D+")

TABLES = ("AUCoding/AU_OCC", "AUCoding", "AUCoding/AUCoding")

IMAGES = ("2D+3D", "BP4D-training")

_NAME = re.compile(r"([FM]\d{3})_(T\d+)", re.ASCII)


class Session(NamedTuple):
    """One task of one person.

    Attributes:
        table: Its table.
        person: Such as F001.
        task: Such as T1.
    """

    table: Path
    person: str
    task: str


def read(source: Path, *, edition: Edition = ORIGINAL) -> Release:
    """Return the release.

    Args:
        source: The folder that the user gave.
        edition: Which of the two.

    Raises:
        FileNotFoundError: If tables or images are not there.
        ValueError: If people are none of BP4D's, or BP4D+ has fewer than three.
    """
    root, sessions = _find(source)
    images = _images(root)
    people = Counter(session.person for session in sessions)
    strangers = sorted(person for person in people if edition is ORIGINAL and not _known(person))
    if strangers:
        raise ValueError(
            f"{root}: {strangers[0]} is none of the {ORIGINAL.people} people of BP4D; of BP4D+ "
            "build bp4d/plus."
        )
    split_of = _splits(edition, people, root)
    names = tuple(split for split in SPLITS if split in split_of.values())
    return Release(
        root,
        {
            split: functools.partial(
                _rows,
                root,
                images,
                [session for session in sessions if split_of[session.person] == split],
                edition,
            )
            for split in names
        },
        listed=tuple(sorted({f"{images}{session.person}/{session.task}" for session in sessions})),
        facts=(
            f"{edition.title} in {root}: {len(sessions)} coded sessions of {len(people)} people.",
            "The split is that of FERA 2015: odd numbers train, even ones validate."
            if edition is ORIGINAL
            else f"The split is made here, by person, with seed {SEED}.",
        ),
        warnings=count_warnings("coded sessions", len(sessions), edition.sessions),
        tasks=TASKS,
    )


def read_either(source: Path) -> Release:
    """Return BP4D+ where there are people that BP4D does not have, otherwise BP4D.

    Raises:
        FileNotFoundError: As `read` does.
        ValueError: As `read` does.
    """
    _, sessions = _find(source)
    original = all(_known(session.person) for session in sessions)
    return read(source, edition=ORIGINAL if original else PLUS)


def _find(source: Path) -> tuple[Path, list[Session]]:
    """Return the root and the coded sessions, in the order of their names."""
    expected = [f"{place}/[FM][0-9][0-9][0-9]_T*.csv" for place in TABLES]
    folder = next((name for name in FOLDERS if (source / name).is_dir()), FOLDERS[0])
    root = locate("BP4D or BP4D+", source, expected, folder)
    place = next(
        place for place, name in zip(TABLES, expected, strict=True) if any(root.glob(name))
    )
    found = []
    for table in sorted((root / place).glob("*.csv")):
        match = _NAME.fullmatch(table.stem)
        if match:
            found.append(Session(table, match[1], match[2]))
    return root, found


def _images(root: Path) -> str:
    """Return the folder of the images with a "/" behind it, empty for the root itself."""
    places = (*(f"{name}/" for name in IMAGES), "")
    for place in places:
        if any((root / place).glob("[FM][0-9][0-9][0-9]/T*")):
            return place
    raise FileNotFoundError(
        f"{root}: expected images in {' or '.join(f'{place}F001/T1/' for place in places)}."
    )


def _known(person: str) -> bool:
    return int(person[1:]) <= ORIGINAL.highest[person[0]]


def _splits(edition: Edition, people: Mapping[str, int], root: Path) -> Mapping[str, str]:
    if edition is ORIGINAL:
        return {person: "train" if int(person[1:]) % 2 else "validation" for person in people}
    try:
        return by_subject(people)
    except ValueError as error:
        raise ValueError(f"{root}: {error}.") from error


def _rows(root: Path, images: str, sessions: Sequence[Session], edition: Edition) -> Iterator[Item]:
    for session in sessions:
        frames = Frames(root, f"{images}{session.person}/{session.task}")
        for item in read_units(session.table):
            if isinstance(item, BadLine):
                yield item
                continue
            path = frames.path(item.frame - 1 + edition.first_image)
            where = f"{session.table.name}, frame {item.frame}"
            labels = in_order(item.units, ACTION_UNITS)
            if (labels < 0).all():
                yield Skipped(path, f"{where}: no action unit is coded")
            else:
                yield Row(path, {"action_units": labels}, where)
