"""The numbered frames of a video, whatever program took them out of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from mtl_dm.datasets.reading.paths import image_files

_NAME = re.compile(r"(.*?)(\d+)(\.[^.]+)", re.ASCII)

_DEFAULT = "00001.jpg"


HEIGHT = 3
"""Frames at the end of a sequence that are taken to show its expression, as is usual."""


def neutral_and_height(numbers: Sequence[int]) -> tuple[int, list[int]]:
    """Return the neutral frame of a sequence that begins so, and those at its end.

    Args:
        numbers: Of its frames, rising, at least one.
    """
    return numbers[0], list(numbers[1:][-HEIGHT:])


class Frames:
    """The images of one folder by their number: 7.jpg, 00007.png, LeftVideoSN001_comp_00007.jpg.

    Args:
        root: The root of the release.
        folder: The folder, relative to it; may be missing.

    Raises:
        ValueError: If two images have one number.
    """

    def __init__(self, root: Path, folder: str) -> None:
        self._folder = folder
        self._names: dict[int, str] = {}
        for path in image_files(root, folder):
            name = path.removeprefix(f"{folder}/")
            match = _NAME.fullmatch(name)
            if "/" in name or not match:  # not a frame; counted as an image without a row
                continue
            other = self._names.setdefault(int(match[2]), name)
            if other != name:
                raise ValueError(f"{root / folder}: {other} and {name} are both frame {match[2]}.")

    @property
    def numbers(self) -> list[int]:
        """The numbers of the images that are there, rising."""
        return sorted(self._names)

    def path(self, number: int) -> str:
        """Return the path of a frame; of one that is not there, the path that it would have."""
        if number in self._names:
            return f"{self._folder}/{self._names[number]}"
        match = _NAME.fullmatch(next(iter(self._names.values()), _DEFAULT))
        before, digits, after = match.groups() if match else ("", "", "")
        return f"{self._folder}/{before}{number:0{len(digits)}d}{after}"
