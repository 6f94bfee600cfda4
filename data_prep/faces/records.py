"""What became of each image: one line in a journal, later one row in a CSV file."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from mtl_dm import faces

FACES_HEADER = (
    "path", "left", "top", "right", "bottom",
    *(f"{name}_{axis}" for name in faces.LANDMARKS for axis in "xy"),
    "score", "faces", "plausible", "aligned",
)  # fmt: skip
UNDETECTED_HEADER = ("path", "reason", "aligned")


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
            return cls(**{key: _tuple(value) for key, value in values.items()})
        except (TypeError, ValueError, AttributeError):
            return None


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
