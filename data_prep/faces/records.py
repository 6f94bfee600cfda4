"""What became of each image: one line in a journal, later one row in a CSV file."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

from mtl_dm import faces
from mtl_dm.files import MALFORMED

FACES_HEADER = (
    "path", "left", "top", "right", "bottom",
    *(f"{name}_{axis}" for name in faces.LANDMARKS for axis in "xy"),
    "score", "faces", "plausible", "aligned",
)  # fmt: skip
UNDETECTED_HEADER = ("path", "reason", "aligned")


LARGEST = 1e15
"""Beyond any pixel and score: a larger number is no entry of ours."""


@dataclasses.dataclass(frozen=True, slots=True)  # there may be millions
class Record:
    """What became of an image.

    Args:
        path: Relative to the source.
        size: Of the file, in bytes.
        annotated: The annotated box, if there is one.
        aligned: What was written for it, relative to the target; None if nothing was.
        reason: Why no face was aligned; None if one was.
        box: Of the chosen face, in pixels of the upright image.
        landmarks: x and y of the five points, in their order.
        score: The detector's.
        found: How many faces there are.
        plausible: Whether the landmarks lie as in an upright face.
    """

    path: str
    size: int
    annotated: tuple[float, ...] | None = None
    aligned: str | None = None
    reason: str | None = None
    box: tuple[float, ...] = ()
    landmarks: tuple[float, ...] = ()
    score: float = 0.0
    found: int = 0
    plausible: bool = False

    def to_line(self) -> str:
        """Return the record as one line of JSON."""
        return json.dumps(dataclasses.asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Record | None:
        """Return the record in a line, or None if it is not whole: a kill may cut the last one."""
        try:
            values: dict[str, Any] = json.loads(line)
            # JSON has lists only.
            record = cls(**{key: _tuple(value) for key, value in values.items()})
        except MALFORMED:
            return None
        return record if _is_sound(record) else None


def _is_sound(record: Record) -> bool:
    """Return whether every entry is of its type: a journal may be damaged anywhere."""
    lists = (record.annotated or (), record.box, record.landmarks)
    if not all(isinstance(each, tuple) for each in lists) or len(record.box) not in (0, 4):
        return False
    counts = (record.size, record.found, record.plausible)
    numbers = (*itertools.chain(*lists), record.score, *counts)
    return (
        isinstance(record.path, str)
        and all(isinstance(each, (str, type(None))) for each in (record.aligned, record.reason))
        and all(isinstance(each, int) for each in counts)
        and all(isinstance(each, (int, float)) and abs(each) < LARGEST for each in numbers)
    )


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def faces_csv(records: Iterable[Record]) -> bytes:
    """Return `faces.csv`: the images with an aligned face, sorted by path."""
    rows = [
        (
            record.path,
            *(f"{value:.2f}" for value in (*record.box, *record.landmarks)),
            f"{record.score:.4f}",
            record.found,
            int(record.plausible),
            record.aligned,
        )
        for record in sorted(records, key=lambda record: record.path)
        if record.reason is None
    ]
    return _csv(FACES_HEADER, rows)


def undetected_csv(records: Iterable[Record]) -> bytes:
    """Return `undetected.csv`: the other images and why, sorted by path."""
    rows = [
        (record.path, record.reason, record.aligned or "")
        for record in sorted(records, key=lambda record: record.path)
        if record.reason is not None
    ]
    return _csv(UNDETECTED_HEADER, rows)


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    # A file name need not be text; its bytes are given back as they were.
    return text.getvalue().encode("utf-8", "surrogateescape")
