"""The attributes of the images: 3.7 million lines of text as two bytes each."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mtl_dm.datasets.cub_200_2011._names import ATTRIBUTES
from mtl_dm.datasets.reading import MISSING, BadLine

CERTAINTIES = {1: "not visible", 2: "guessing", 3: "probably", 4: "definitely"}
"""Ids of the release; 0 is ours, where there is no line."""

NOT_VISIBLE = 1

MOST_BAD = 1000
"""Reading stops after so many bad lines: the file is another."""

_FIELDS = 5
_PLACES = {str(number + 1): number for number in range(len(ATTRIBUTES))}
_CERTAINTY = {str(number): number for number in CERTAINTIES}
_UNKNOWN = MISSING & 0xFF  # the byte of int8 -1
# Whether the attribute is there, and how certain the rater was -> the byte of the label. What
# cannot be seen is unknown, whatever was ticked.
_LABELS = {
    (flag, certainty): _UNKNOWN if number == NOT_VISIBLE else int(flag)
    for flag in ("0", "1")
    for certainty, number in _CERTAINTY.items()
}


@dataclasses.dataclass(frozen=True)
class Attributes:
    """Labels and certainty of N images, rows in the order of the images.

    Attributes:
        labels: int8 [N, 312], 1, 0 or -1 (unknown).
        certainty: int8 [N, 312], ids of the release, 0 where there is no line.
        bad: The lines that break the format.
        unreadable: Lines with too many fields of which the first four make no label.
        repeated: Lines on an image and an attribute that an earlier line was about.
    """

    labels: npt.NDArray[np.int8]
    certainty: npt.NDArray[np.int8]
    bad: tuple[BadLine, ...]
    unreadable: int
    repeated: int

    @property
    def warnings(self) -> Iterator[str]:
        """What is unusual."""
        if self.unreadable:
            yield (
                f"{self.unreadable:,} attribute line(s) with more than {_FIELDS} fields make no "
                "label: unknown there."
            )
        if self.repeated:
            yield f"{self.repeated:,} attribute line(s) repeat an earlier one; the first counts."
        absent = int(np.sum(self.certainty == 0))
        if absent:
            yield f"{absent:,} label(s) of an image and an attribute are not there: unknown."


def read_attributes(path: Path, images: Mapping[str, int]) -> Attributes:
    """Return the attributes of all images.

    A line is `image attribute present certainty seconds`, separated by spaces. A few lines of the
    release have more fields: the first four count.

    Args:
        path: image_attribute_labels.txt.
        images: Id of the image, as text -> its row.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no text.
    """
    size = len(ATTRIBUTES)
    labels = bytearray([_UNKNOWN]) * (len(images) * size)
    certainty = bytearray(len(images) * size)
    bad: list[BadLine] = []
    unreadable = repeated = 0
    with path.open(encoding="ascii", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            cells = line.split()
            try:
                place = images[cells[0]] * size + _PLACES[cells[1]]
                label, sure = _LABELS[cells[2], cells[3]], _CERTAINTY[cells[3]]
                cells[4]
            except (KeyError, IndexError):
                reason = _reason(cells, images)
                if reason:
                    bad.append(BadLine(path, number, reason))
                elif cells:
                    unreadable += 1
                if len(bad) == MOST_BAD:
                    break
                continue
            if certainty[place]:
                repeated += 1
                continue
            labels[place], certainty[place] = label, sure
    shape = (len(images), size)
    return Attributes(
        np.frombuffer(labels, dtype=np.int8).reshape(shape),
        np.frombuffer(certainty, dtype=np.int8).reshape(shape),
        tuple(bad),
        unreadable,
        repeated,
    )


def _reason(cells: list[str], images: Mapping[str, int]) -> str:
    """Return why a line is bad; empty where it is empty, or has more fields than it should."""
    if not cells:
        return ""
    if len(cells) < _FIELDS:
        return f"expected image, attribute, present, certainty and time, got {len(cells)} field(s)"
    if cells[0] not in images:
        return f"the image {cells[0]!r} is not in images.txt"
    if cells[1] not in _PLACES:
        return f"the attribute is {cells[1]!r}; expected a number from 1 to {len(ATTRIBUTES)}"
    if len(cells) > _FIELDS:
        return ""
    if cells[3] not in _CERTAINTY:
        return f"the certainty is {cells[3]!r}; expected one of {', '.join(_CERTAINTY)}"
    return f"present is {cells[2]!r}; expected 0 or 1"
