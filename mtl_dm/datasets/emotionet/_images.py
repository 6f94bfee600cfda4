"""Where people keep the images of EmotioNet, which the release gives as URLs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from mtl_dm.datasets.reading.paths import is_folder, say_unreadable

NAME = re.compile(r"(N_\d+)_\d+\.(jpg|jpeg|png)", re.ASCII | re.IGNORECASE)
"""File name of an image: the last part of its URL."""

_PREFIX = re.compile(r"N_\d+", re.ASCII)
_LIST = re.compile(r"dataFile_\d+", re.ASCII)


def file_name(url: str) -> str:
    """Return the file name of an image, the last part of its URL, which may be quoted.

    Raises:
        ValueError: If it is none of the release's.
    """
    name = url.strip("'\" ").rsplit("/", 1)[-1]
    if not NAME.fullmatch(name):
        raise ValueError(f"the URL is {url!r}; expected one that ends in N_<digits>_<digits>.jpg")
    return name


Kind = Literal["flat", "by prefix", "by list"]

SHOWN = {
    "flat": "N_<digits>_<digits>.jpg",
    "by prefix": "N_<digits>/N_<digits>_<digits>.jpg",
    "by list": "dataFile_<digits>/N_<digits>_<digits>.jpg",
}


class Place(NamedTuple):
    """A folder of images and how they lie in it.

    Attributes:
        folder: Relative to the source; empty: the source itself.
        kind: All in it; in a folder for the first part of their name, as in their URL; or in a
            folder for the list that names them.
    """

    folder: str
    kind: Kind

    def path(self, name: str, table: str) -> str:
        """Return where an image is.

        Args:
            name: Its file name, which `NAME` matches.
            table: Name of the list that names it, without ending.
        """
        below = {"flat": "", "by prefix": name.rsplit("_", 1)[0], "by list": table}[self.kind]
        return "/".join(part for part in (self.folder, below, name) if part)

    def __str__(self) -> str:
        return f"{self.folder}/{SHOWN[self.kind]}" if self.folder else SHOWN[self.kind]


def find_images(root: Path) -> Place:
    """Return the one place below `root` that holds images; looks at folders, not at every image.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If there are several, such as originals and aligned faces.
    """
    places = sorted({*_places(root, "")})
    if not places:
        raise FileNotFoundError(f"No images in {root}: expected {SHOWN['flat']} below it.")
    if len(places) > 1:
        found = "; ".join(map(str, places))
        raise ValueError(f"{root} holds images in several places ({found}): keep one of them.")
    return places[0]


def _places(root: Path, folder: str) -> Iterator[Place]:
    below = []
    found = False
    try:
        listing = os.scandir(root / folder)
    except OSError as error:
        say_unreadable(root / folder, error.strerror or str(error))
        return
    with listing as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if is_folder(entry, follow_symlinks=False):
                below.append(entry.name)
            else:
                found = found or bool(NAME.fullmatch(entry.name))
    if found:
        yield _place(folder)
    for name in below:
        yield from _places(root, f"{folder}/{name}" if folder else name)


def _place(folder: str) -> Place:
    above, _, name = folder.rpartition("/")
    if _PREFIX.fullmatch(name):
        return Place(above, "by prefix")
    if _LIST.fullmatch(name):
        return Place(above, "by list")
    return Place(folder, "flat")
