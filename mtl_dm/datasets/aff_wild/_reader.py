"""Reads Aff-Wild: the annotated videos of its challenge, as frames that the user took out.

Second-hand, from public readers of the release: `annotations/train/{valence,arousal}/105.txt`, one
number in [-1, 1] a line and no header, `videos/train/105.{mp4,avi}`, and
`bboxes/train/105/1.pts`, ... with four corners, counted from 1. Not verified: that line n is frame
n for every video (readers agree on one line a frame, not on where a frame without a face leaves
off), and what marks a missing value: none is known, so that -5, its mark in Aff-Wild2, and
everything else outside [-1, 1] is an error. The annotations of the test videos are not in the
release.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mtl_dm.datasets.aff_wild._files import read_box, read_track
from mtl_dm.datasets.reading import (
    BadLine,
    Frames,
    Item,
    Release,
    Row,
    Skipped,
    by_subject,
    locate,
)
from mtl_dm.datasets.reading.subjects import SEED, SPLITS
from mtl_dm.tasks import Task

VALUES = ("valence", "arousal")

TASKS = (Task.regression("valence_arousal", VALUES),)

FOLDER = "Aff-Wild"

ANNOTATIONS = "annotations/train"

IMAGES = "frames/train"
"""Ours: the release has videos, of which the user takes the frames."""

BOXES = ("bboxes/train", "bboxs/train")


class Video(NamedTuple):
    """One video.

    Attributes:
        name: Its number.
        lengths: Lines of valence, and of arousal.
    """

    name: str
    lengths: tuple[int, ...]


def read(source: Path, *, faces: bool = True) -> Release:
    """Return the release.

    Args:
        source: The folder that the user gave.
        faces: Whether to crop frames to the box of the face.

    Raises:
        FileNotFoundError: If annotations, frames, or the boxes to crop to are not there.
        ValueError: If a video has one of the two annotations only, or there are fewer than three.
    """
    root = locate("Aff-Wild", source, [f"{ANNOTATIONS}/valence"], FOLDER)
    if not (root / IMAGES).is_dir():
        raise FileNotFoundError(
            f"{root}: expected the frames of videos/train in {IMAGES}/<video>/00001.jpg, ...: "
            "take them out first, see README.md of this data set."
        )
    boxes = _boxes(root) if faces else None
    videos = _videos(root)
    try:
        split_of = by_subject({video.name: max(video.lengths) for video in videos})
    except ValueError as error:
        raise ValueError(f"{root / ANNOTATIONS}: {error} (videos count as subjects).") from error
    return Release(
        root,
        {
            split: functools.partial(
                _frames, root, [each for each in videos if split_of[each.name] == split], boxes
            )
            for split in SPLITS
        },
        listed=(IMAGES,),
        facts=(
            f"Aff-Wild in {root}: {len(videos)} annotated videos, "
            f"{'cropped to the face' if faces else 'whole frames'}.",
            f"The split is made here, by video, with seed {SEED}.",
        ),
        warnings=tuple(_unequal(videos)),
        tasks=TASKS,
    )


def read_either(source: Path) -> Release:
    """Return frames cropped to the face where the boxes are there, whole ones where not.

    Raises:
        FileNotFoundError: As `read` does.
        ValueError: As `read` does.
    """
    places = (source, source / FOLDER)
    faces = any((place / name).is_dir() for place in places for name in BOXES)
    return read(source, faces=faces)


def _boxes(root: Path) -> Path:
    for name in BOXES:
        if (root / name).is_dir():
            return root / name
    raise FileNotFoundError(
        f"{root}: expected the boxes of the faces in {' or '.join(BOXES)}. Frames that are faces "
        "already are built as aff_wild/frames."
    )


def _videos(root: Path) -> list[Video]:
    names = [{path.stem for path in (root / ANNOTATIONS / each).glob("*.txt")} for each in VALUES]
    alone = sorted(names[0] ^ names[1])
    if alone:
        raise ValueError(
            f"{root / ANNOTATIONS}: {len(alone)} video(s) have only one of valence and arousal "
            f"(the first: {alone[0]}); expected both."
        )
    return [
        Video(name, tuple(_count(path) for path in _tracks(root, name)))
        for name in sorted(names[0])
        if not name.startswith(".")
    ]


def _tracks(root: Path, video: str) -> list[Path]:
    return [root / ANNOTATIONS / each / f"{video}.txt" for each in VALUES]


def _count(path: Path) -> int:
    return len(path.read_bytes().split())


def _unequal(videos: list[Video]) -> Iterator[str]:
    found = [video for video in videos if len(set(video.lengths)) > 1]
    if found:
        first = found[0]
        yield (
            f"{len(found)} video(s) have more lines of one value than of the other (the first: "
            f"{first.name}, {first.lengths[0]} of valence, {first.lengths[1]} of arousal): what "
            "is lacking is not annotated."
        )


def _frames(root: Path, videos: list[Video], boxes: Path | None) -> Iterator[Item]:
    for video in videos:
        images = Frames(root, f"{IMAGES}/{video.name}")
        tracks = [
            read_track(path, name)
            for path, name in zip(_tracks(root, video.name), VALUES, strict=True)
        ]
        for number, values in enumerate(itertools.zip_longest(*tracks, fillvalue=math.nan), 1):
            bad = [value for value in values if isinstance(value, BadLine)]
            if bad:
                yield from bad
                continue
            where = f"{video.name}.txt, line {number}"
            labels = {"valence_arousal": np.array(values, dtype=np.float32)}
            row = Row(images.path(number), labels, where)
            yield row if boxes is None else _cropped(row, boxes / video.name / f"{number}.pts")


def _cropped(row: Row, file: Path) -> Row | Skipped | BadLine:
    try:
        box = read_box(file)
    except ValueError as error:
        return BadLine(file, 0, str(error))
    return row._replace(box=box) if box else Skipped(row.path, f"{row.where}: no box of a face")
