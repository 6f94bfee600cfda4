"""Reads DISFA: twelve label files a person, and frames that the user took out of the videos.

Second-hand, from public readers of the release: `ActionUnit_Labels/SN001/SN001_au1.txt`, a line
`frame,intensity` with an intensity from 0 to 5, for twelve action units of 27 people, and one video
of each person by the left and one by the right camera. Not verified: that frames are counted from
1; a file that has a frame 0 is an error.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from mtl_dm.datasets._check import count_warnings
from mtl_dm.datasets.reading import (
    BadLine,
    Frames,
    Item,
    Line,
    Release,
    Row,
    by_subject,
    in_order,
    integer,
    locate,
    parse,
    read_table,
)
from mtl_dm.datasets.reading.subjects import SEED, SPLITS
from mtl_dm.tasks import ACTION_UNITS, Task

Camera = Literal["left", "right"]

TASKS = (Task.multilabel("action_units", ACTION_UNITS),)

UNITS = tuple(f"AU{number}" for number in (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26))

FOLDER = "DISFA"

ANNOTATIONS = "ActionUnit_Labels"

IMAGES = "frames"
"""Ours: the release has videos, of which the user takes the frames."""

PEOPLE = 27

MAXIMUM = 5
"""Intensities are 0 absent, 1 trace, 2 slight, 3 marked, 4 severe and 5 maximum."""

SLIGHT = 2
"""From here on an action unit is active in the usual protocol (public readers of DISFA)."""

LAST_FRAME = 1_000_000


def read(source: Path, *, camera: Camera = "left", threshold: int = SLIGHT) -> Release:
    """Return the release.

    Args:
        source: The folder that the user gave.
        camera: Whose frames.
        threshold: Intensity from which on an action unit is active.

    Raises:
        FileNotFoundError: If labels, a person's file, or the frames are not there.
        ValueError: If there are fewer than three people.
    """
    root = locate("DISFA", source, [f"{ANNOTATIONS}/SN*"], FOLDER)
    images = f"{IMAGES}/{camera}"
    if not (root / images).is_dir():
        raise FileNotFoundError(
            f"{root}: expected the frames of the {camera} camera's videos in {images}/SN001/"
            "00001.jpg, ...: take them out first, see README.md of this data set."
        )
    people = sorted(path.name for path in (root / ANNOTATIONS).glob("SN*") if path.is_dir())
    lacking = [
        file.relative_to(root)
        for person in people
        for file in _files(root, person)
        if not file.is_file()
    ]
    if lacking:
        raise FileNotFoundError(
            f"{root}: {len(lacking)} label file(s) are missing, first {lacking[0]}."
        )
    try:
        split_of = by_subject(dict.fromkeys(people, 1))  # their videos are equally long
    except ValueError as error:
        raise ValueError(f"{root / ANNOTATIONS}: {error}.") from error
    rows = functools.partial(_rows, root, images, threshold)
    return Release(
        root,
        {
            split: functools.partial(rows, [each for each in people if split_of[each] == split])
            for split in SPLITS
        },
        listed=(images,),
        facts=(
            f"DISFA in {root}: {len(people)} people, {camera} camera; an action unit is active "
            f"from intensity {threshold} on.",
            f"The split is made here, by person, with seed {SEED}.",
        ),
        warnings=count_warnings("people", len(people), PEOPLE),
        tasks=TASKS,
    )


def read_either(source: Path) -> Release:
    """Return the left camera's frames, or those of the right one where only they are there.

    Raises:
        FileNotFoundError: As `read` does.
        ValueError: As `read` does.
    """
    left, right = (
        any((place / IMAGES / camera).is_dir() for place in (source, source / FOLDER))
        for camera in ("left", "right")
    )
    return read(source, camera="right" if right and not left else "left")


def _files(root: Path, person: str) -> list[Path]:
    """Return a person's label files, in the order of `UNITS`."""
    return [root / ANNOTATIONS / person / f"{person}_{unit.lower()}.txt" for unit in UNITS]


def _rows(root: Path, images: str, threshold: int, people: Sequence[str]) -> Iterator[Item]:
    for person in people:
        frames = Frames(root, f"{images}/{person}")
        flags: dict[int, dict[str, int]] = defaultdict(dict)
        for unit, file in zip(UNITS, _files(root, person), strict=True):
            for item in parse(read_table(file, ("frame", "intensity"), header="absent"), _cells):
                if isinstance(item, BadLine):
                    yield item
                    continue
                line, frame, intensity = item
                if unit in flags[frame]:
                    yield BadLine(file, line, f"frame {frame} is there twice")
                flags[frame][unit] = int(intensity >= threshold)
        for frame in sorted(flags):
            labels = {"action_units": in_order(flags[frame], ACTION_UNITS)}
            yield Row(frames.path(frame), labels, f"{person}, frame {frame}")


def _cells(line: Line) -> tuple[int, int, int]:
    frame = integer("the frame", line["frame"], 1, LAST_FRAME)
    return line.number, frame, integer("the intensity", line["intensity"], 0, MAXIMUM)
