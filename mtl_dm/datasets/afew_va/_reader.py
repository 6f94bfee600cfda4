"""Reads AFEW-VA: a folder a clip, with its frames and one JSON file.

Second-hand, from public readers of the release: `001/00000.png` and `001/001.json`, which is
{"actor": name, "frames": {"00000": {"valence": -2, "arousal": 3, "landmarks": [[x, y] * 68]}}},
and that the landmarks are in pixels of the stored frames. Not verified: whether the clips lie in
folders 01 to 12, as some readers have them (both are read), and what marks a missing value; null
and an absent entry are taken so, everything outside [-10, 10] is an error.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mtl_dm.datasets._check import count_warnings
from mtl_dm.datasets.afew_va._clips import (
    Frame,
    face_box,
    frame_number,
    read_clip,
    valence_arousal,
)
from mtl_dm.datasets.reading import (
    Frames,
    Item,
    Release,
    Row,
    Skipped,
    by_subject,
    locate,
    parse,
)
from mtl_dm.datasets.reading.subjects import SEED, SPLITS
from mtl_dm.tasks import Task

TASKS = (Task.regression("valence_arousal", ("valence", "arousal"), bounds=(-1, 1)),)

FOLDER = "AFEW-VA"

FILES = ("[0-9][0-9][0-9]/*.json", "[0-9][0-9]/[0-9][0-9][0-9]/*.json")

CLIPS = 600
"""As published; 001 to 600."""


class _Entry(NamedTuple):
    file: Path
    subject: str
    frames: int


def read(source: Path, *, faces: bool = True) -> Release:
    """Return the release.

    Args:
        source: The folder that the user gave.
        faces: Whether to crop frames to the annotated face; other people are in many of them.

    Raises:
        FileNotFoundError: If there is no clip.
        ValueError: If a JSON file is malformed, or the clips show fewer than three people.
    """
    root = locate("AFEW-VA", source, FILES, FOLDER)
    found = {path for name in FILES for path in root.glob(name)}
    files = sorted(path for path in found if re.fullmatch(r"\d{3}", path.stem))
    clips = [_entry(file) for file in files if file.stem == file.parent.name]
    counts: Counter[str] = Counter()
    for clip in clips:
        counts[clip.subject] += clip.frames
    try:
        split_of = by_subject(counts)
    except ValueError as error:
        raise ValueError(f"{root}: {len(clips)} clip(s): {error}.") from error
    return Release(
        root,
        {split: functools.partial(_rows, root, clips, split_of, split, faces) for split in SPLITS},
        listed=tuple(clip.file.parent.relative_to(root).as_posix() for clip in clips),
        facts=(
            f"AFEW-VA in {root}: {len(clips)} clips of {len(counts)} people, "
            f"{'cropped to the face' if faces else 'whole frames'}.",
            f"The split is made here, by actor, with seed {SEED}.",
        ),
        warnings=(*count_warnings("clips", len(clips), CLIPS), *_unnamed(clips)),
        tasks=TASKS,
    )


def _entry(file: Path) -> _Entry:
    clip = read_clip(file)
    # A clip without a name is a person of its own.
    return _Entry(file, clip.actor or file.stem, len(clip.frames))


def _unnamed(clips: Sequence[_Entry]) -> Iterator[str]:
    names = [clip.file.stem for clip in clips if clip.subject == clip.file.stem]
    if names:
        yield (
            f"{len(names)} clip(s) do not say whom they show (the first: {names[0]}): the same "
            "person may be in more than one split."
        )


def _rows(
    root: Path, clips: Sequence[_Entry], split_of: Mapping[str, str], split: str, faces: bool
) -> Iterator[Item]:
    for clip in clips:
        if split_of[clip.subject] == split:
            images = Frames(root, clip.file.parent.relative_to(root).as_posix())
            row = functools.partial(_row, images=images, faces=faces)
            yield from parse(read_clip(clip.file).frames, row)


def _row(frame: Frame, images: Frames, faces: bool) -> Row | Skipped:
    path = images.path(frame_number(frame.name))
    where = f"{frame.file.name}, frame {frame.name}"
    label = valence_arousal(frame)
    if np.isnan(label).all():
        return Skipped(path, f"{where}: neither valence nor arousal")
    box = face_box(frame.values.get("landmarks")) if faces else None
    if faces and box is None:
        return Skipped(path, f"{where}: no 68 landmarks to crop to")
    return Row(path, {"valence_arousal": label}, where, box)
