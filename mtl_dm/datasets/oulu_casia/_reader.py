"""Reads Oulu-CASIA: folders of frames, named by camera, light, person and expression.

Second-hand, from public readers of the release: `OriginalImg/VL/Strong/P001/Anger/000.jpeg` and so
on, from neutral to the height of the expression; VL the visible camera, NI the near-infrared one;
lights Dark, Strong and Weak; P001 to P080. Not verified: whether other archives of the release
(cropped faces) have the same folders below their own name.
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
    ClassMap,
    Frames,
    Item,
    Release,
    Row,
    Skipped,
    by_subject,
    locate,
)
from mtl_dm.datasets.reading.frames import neutral_and_height
from mtl_dm.datasets.reading.subjects import SEED, SPLITS
from mtl_dm.tasks import EXPRESSIONS, Task

PEOPLE = 80

TASKS = (
    Task.multiclass("identity", tuple(f"P{person:03d}" for person in range(1, PEOPLE + 1))),
    Task.multiclass("expression", EXPRESSIONS),
)

CLASSES = ClassMap(
    "expression",
    EXPRESSIONS,
    {
        "Anger": "anger",
        "Disgust": "disgust",
        "Fear": "fear",
        "Happiness": "happiness",
        "Sadness": "sadness",
        "Surprise": "surprise",
    },
)

CAMERAS = {"visible": "VL", "infrared": "NI"}
LIGHTS = ("Strong", "Weak", "Dark")
IMAGES = "OriginalImg"
FOLDERS = ("", f"{IMAGES}/")
"""Where the folders of the cameras may lie."""

_PERSON = re.compile(r"P(\d{3})", re.ASCII)


class Filmed(NamedTuple):
    """A sequence.

    Attributes:
        folder: Relative to the root.
        person: From 1.
        expression: As its folder is called.
    """

    folder: str
    person: int
    expression: str


def read(source: Path, *, camera: str = "visible", light: str = "Strong") -> Release:
    """Return the release.

    Args:
        source: The folder that the user gave.
        camera: A name of `CAMERAS`.
        light: One of `LIGHTS`.

    Raises:
        FileNotFoundError: If there are no such sequences.
        ValueError: If a person or an expression is none of the release's, or there are fewer than
            three people.
    """
    below = f"{CAMERAS[camera]}/{light}"
    expected = [f"{place}{below}/P*/*" for place in FOLDERS]
    root = locate("Oulu-CASIA", source, expected, "Oulu_CASIA")
    place = next(p for p, name in zip(FOLDERS, expected, strict=True) if any(root.glob(name)))
    sequences = [
        _filmed(path, f"{place}{below}")
        for path in sorted((root / place / below).glob("P*/*"))
        if path.is_dir()
    ]
    people = Counter(str(each.person) for each in sequences)
    try:
        split_of = by_subject(people)
    except ValueError as error:
        raise ValueError(f"{root / place / below}: {error}.") from error
    return Release(
        root,
        {
            split: functools.partial(
                _rows, root, [each for each in sequences if split_of[str(each.person)] == split]
            )
            for split in SPLITS
        },
        listed=tuple(each.folder for each in sequences),
        facts=(
            f"Oulu-CASIA in {root}, {camera} camera, {light.lower()} light: {len(sequences)} "
            f"sequences of {len(people)} people; the first frame of each is neutral, the last "
            "three show the expression.",
            f"The split is made here, by person, with seed {SEED}.",
        ),
        warnings=count_warnings("people", len(people), PEOPLE),
        tasks=TASKS,
    )


def read_either(source: Path) -> Release:
    """Return the first choice of camera and light that is there.

    Raises:
        FileNotFoundError: If none is.
        ValueError: As `read` does.
    """
    for camera in CAMERAS:
        for light in LIGHTS:
            try:
                return read(source, camera=camera, light=light)
            except FileNotFoundError:
                continue
    return read(source)


def _filmed(path: Path, below: str) -> Filmed:
    match = _PERSON.fullmatch(path.parent.name)
    if not match or not 1 <= int(match[1]) <= PEOPLE:
        raise ValueError(f"{path}: expected a person from P001 to P{PEOPLE:03d}.")
    if path.name not in CLASSES.names:
        raise ValueError(f"{path}: expected one of {', '.join(CLASSES.names)}.")
    return Filmed(f"{below}/{path.parent.name}/{path.name}", int(match[1]), path.name)


def _rows(root: Path, sequences: Sequence[Filmed]) -> Iterator[Item]:
    for found in sequences:
        frames = Frames(root, found.folder)
        numbers = frames.numbers
        if len(numbers) < 2:
            yield Skipped(found.folder, f"{len(numbers)} frame(s), of which none is the height")
            continue
        neutral, height = neutral_and_height(numbers)
        expression = CLASSES.index(found.expression)
        labels = {neutral: EXPRESSIONS.index("neutral"), **dict.fromkeys(height, expression)}
        for place, label in labels.items():
            yield Row(
                frames.path(place),
                {"identity": found.person - 1, "expression": label},
                f"{found.folder}, frame {place}",
            )
