"""What the user named: photos, folders of them, videos; in one order, each file once."""

from __future__ import annotations

import collections
import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

from mtl_dm import faces
from mtl_dm.files import printable

VIDEOS = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv")
"""What counts as a video, in lower case."""

_LONGEST = 200  # bytes of a picture's name


@dataclasses.dataclass(frozen=True)
class Item:
    """A photo or a video.

    Args:
        path: Where it is.
        place: Where its annotated picture goes, relative to their folder, without the suffix.
        reason: Why it cannot be looked at; None: nothing is known against it.
    """

    path: Path
    place: PurePath
    reason: str | None = None

    @property
    def is_video(self) -> bool:
        """Whether it is a video, by its name."""
        return self.path.suffix.lower() in VIDEOS

    @property
    def name(self) -> str:
        r"""The path as it was named; bytes that are no UTF-8 as \xNN."""
        return printable(self.path.as_posix())


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Everything to look at.

    Args:
        items: In order: as named, folders by path.
        others: Suffix -> number of files in folders that are neither photo nor video.
        repeated: How many files were named twice, and are looked at once.
    """

    items: tuple[Item, ...]
    others: dict[str, int]
    repeated: int


def list_inputs(paths: Sequence[Path], output: Path) -> Inputs:
    """Return the photos and videos that the paths stand for; folders with all below them.

    A file named by itself is taken for a photo whatever its suffix, unless that is a video's.
    What lies in `output` is left out of folders: it is an earlier run's.

    Raises:
        FileNotFoundError: If a path does not exist.
        ValueError: If there is neither photo nor video.
    """
    found: dict[str, Item] = {}
    others: collections.Counter[str] = collections.Counter()
    repeated = 0
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"There is no photo, folder or video at {path}.")
        for item in _items(path, output.resolve()):
            suffix = item.path.suffix.lower()
            if path.is_dir() and item.reason is None and suffix not in (*faces.SUFFIXES, *VIDEOS):
                others[suffix or "(none)"] += 1
            elif (key := os.path.realpath(item.path)) in found:
                repeated += 1
            else:
                found[key] = item
    if not found:
        raise ValueError(
            f"Neither photo nor video in {', '.join(map(str, paths))}. Photos: "
            f"{', '.join(faces.SUFFIXES)}; videos: {', '.join(VIDEOS)}."
        )
    return Inputs(_apart(list(found.values())), dict(sorted(others.items())), repeated)


def _items(path: Path, output: Path) -> Iterator[Item]:
    if not path.is_dir():
        yield Item(path, PurePath(path.name))
        return
    root = PurePath(path.resolve().name)
    refused: list[Item] = []

    def note(error: OSError) -> None:
        folder = Path(error.filename)
        reason = f"the folder cannot be read ({error.strerror})"
        refused.append(Item(folder, root / folder.relative_to(path), reason))

    files = [
        Path(folder) / name
        for folder, _, names in os.walk(path, onerror=note)
        for name in names
        if not Path(folder).resolve().is_relative_to(output)
    ]
    items = [Item(file, root / file.relative_to(path)) for file in files]
    yield from sorted([*items, *refused], key=lambda item: item.path.relative_to(path).parts)


def _apart(items: list[Item]) -> tuple[Item, ...]:
    """Give each item a place of its own: two folders may hold files of one name."""
    taken: set[str] = set()
    placed = []
    for item in items:
        place, number = _short(item.place), 1
        while str(place).casefold() in taken:  # Some file systems know no case.
            number += 1
            place = _short(item.place, f" ({number})")
        taken.add(str(place).casefold())
        placed.append(dataclasses.replace(item, place=place))
    return tuple(placed)


def _short(place: PurePath, mark: str = "") -> PurePath:
    """Return a place with a mark before its suffix, whose name leaves room for what is added.

    A picture is written under a longer, temporary name first, and most systems take 255 bytes.
    """
    name = f"{place.stem}{mark}{place.suffix}"
    while len(os.fsencode(name)) > _LONGEST:
        name = name[1:]  # The end has suffix and mark.
    return place if name == place.name else place.with_name(name)
