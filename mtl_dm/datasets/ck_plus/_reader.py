"""Reads the extended Cohn-Kanade database: folders of frames, and a text file a labelled sequence.

Second-hand, from public readers of the release: `cohn-kanade-images/S005/001/S005_001_00000001.png`
and so on, from neutral to the height of an expression, and
`Emotion/S005/001/S005_001_00000011_emotion.txt`, whose name has the last frame and which holds one
number, "3.0000000e+00". Sequences without an expression have no such file. Not verified: that no
image of a labelled sequence is missing in the release.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from mtl_dm.datasets._check import count_warnings
from mtl_dm.datasets.reading import (
    BadLine,
    ClassMap,
    Frames,
    Item,
    Release,
    Row,
    by_subject,
    locate,
    number,
    parse,
)
from mtl_dm.datasets.reading.frames import neutral_and_height
from mtl_dm.datasets.reading.subjects import SEED, SPLITS
from mtl_dm.tasks import EXPRESSIONS, Task

NUMBERS = 1000
"""People have numbers of three digits, most of which are nobody's."""

TASKS = (
    Task.multiclass("identity", tuple(f"S{person:03d}" for person in range(NUMBERS))),
    Task.multiclass("expression", (*EXPRESSIONS, "contempt")),
)

CLASSES = ClassMap(
    "expression",
    TASKS[1].labels,
    {
        "0": "neutral",
        "1": "anger",
        "2": "contempt",
        "3": "disgust",
        "4": "fear",
        "5": "happiness",
        "6": "sadness",
        "7": "surprise",
    },
)

FOLDER = "CK+"
IMAGES = "cohn-kanade-images"
LABELS = "Emotion"

SEQUENCES = 327
"""With an expression, as published; of 118 people."""

_NAME = re.compile(r"(S\d{3})_(\d{3})_(\d{8})_emotion\.txt", re.ASCII)


class Labelled(NamedTuple):
    """A labelled sequence.

    Attributes:
        file: Its label file.
        person: Such as S005.
        name: Such as 001.
        last: Number of the frame at the height of the expression.
        number: The line.
    """

    file: Path
    person: str
    name: str
    last: int
    number: int = 1


def read(source: Path) -> Release:
    """Return the release.

    Args:
        source: The folder that the user gave.

    Raises:
        FileNotFoundError: If labels or images are not there.
        ValueError: If there are fewer than three people.
    """
    root = locate("CK+", source, [f"{LABELS}/S*/*/*_emotion.txt"], FOLDER)
    if not (root / IMAGES).is_dir():
        raise FileNotFoundError(f"{root}: expected the images in {IMAGES}/S005/001/, ....")
    sequences = [
        Labelled(file, match[1], match[2], int(match[3]))
        for file in sorted((root / LABELS).glob("S*/*/*_emotion.txt"))
        if (match := _NAME.fullmatch(file.name))
    ]
    people = Counter(each.person for each in sequences)
    try:
        split_of = by_subject(people)
    except ValueError as error:
        raise ValueError(f"{root / LABELS}: {error}.") from error
    rows = functools.partial(_rows, root)
    return Release(
        root,
        {
            split: functools.partial(
                rows, [each for each in sequences if split_of[each.person] == split]
            )
            for split in SPLITS
        },
        listed=tuple(f"{IMAGES}/{each.person}/{each.name}" for each in sequences),
        facts=(
            f"CK+ in {root}: {len(sequences)} labelled sequences of {len(people)} people; the "
            "first frame of each is neutral, the last three show the expression.",
            f"The split is made here, by person, with seed {SEED}.",
        ),
        warnings=count_warnings("labelled sequences", len(sequences), SEQUENCES),
        tasks=TASKS,
    )


def _rows(root: Path, sequences: Sequence[Labelled]) -> Iterator[Item]:
    for item in parse(sequences, functools.partial(_sequence, root=root)):
        if isinstance(item, BadLine):
            yield item
        else:
            yield from item


def _sequence(found: Labelled, root: Path) -> list[Row]:
    text = found.file.read_text(encoding="utf-8").strip()
    value = number("expression", text, 0, len(CLASSES.names) - 1)
    if value != int(value):
        raise ValueError(f"expression is {text!r}; expected a whole number")
    frames = Frames(root, f"{IMAGES}/{found.person}/{found.name}")
    neutral, height = neutral_and_height([1, *range(max(found.last - 2, 2), found.last + 1)])
    expression = CLASSES.index(str(int(value)))
    labels = {neutral: EXPRESSIONS.index("neutral"), **dict.fromkeys(height, expression)}
    return [
        Row(
            frames.path(place),
            {"identity": int(found.person[1:]), "expression": label},
            f"{found.file.name}, frame {place}",
        )
        for place, label in labels.items()
    ]
