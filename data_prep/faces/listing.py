"""What a folder of photos holds, and what each aligned face will be called."""

from __future__ import annotations

import collections
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mtl_dm import faces

RESERVED = "_align"
"""Folder of the target that holds journal, settings and contact sheets."""


@dataclasses.dataclass(frozen=True)
class Photo:
    """An image file of the source.

    Args:
        path: Relative to the source, with forward slashes.
        size: In bytes; a file of another size is another file.
    """

    path: str
    size: int


@dataclasses.dataclass(frozen=True)
class Listing:
    """What the source holds.

    Args:
        photos: The images, sorted.
        refused: Path -> reason, for what cannot be looked into.
        others: Suffix -> number of files that are no images by their suffix.
    """

    photos: tuple[Photo, ...]
    refused: dict[str, str]
    others: dict[str, int]


def list_photos(source: Path) -> Listing:
    """Return the images below a folder, recursively.

    Linked files inside the source are images like others. Links that leave it, lead nowhere, or
    stand for a folder (whose images would count twice, or never end) are refused.

    Raises:
        FileNotFoundError: If the folder does not exist or is none.
        ValueError: If it has a folder of the reserved name.
    """
    if not source.is_dir():
        raise FileNotFoundError(f"--source: the folder {source} does not exist.")
    if (source / RESERVED).exists():
        raise ValueError(
            f"--source: {source} holds {RESERVED!r}: it is the target of an alignment, or that "
            "folder needs another name."
        )
    root = source.resolve()
    photos: list[Photo] = []
    refused: dict[str, str] = {}
    others: collections.Counter[str] = collections.Counter()
    for path, relative in _walk(source, refused):
        try:
            reason = _refusal(path, root)
            if path.suffix.lower() not in faces.SUFFIXES and not path.is_dir():
                others[path.suffix.lower() or "(none)"] += 1
            elif reason:
                refused[relative] = reason
            else:
                photos.append(Photo(relative, path.stat().st_size))
        except OSError as error:  # Its folder can be listed, but not entered.
            refused[relative] = f"cannot be looked up ({error.strerror})"
    return Listing(
        tuple(sorted(photos, key=lambda photo: photo.path)), refused, dict(sorted(others.items()))
    )


def _walk(source: Path, refused: dict[str, str]) -> Iterator[tuple[Path, str]]:
    """Yield files and linked folders; note unreadable folders in `refused`."""

    def note(error: OSError) -> None:
        folder = Path(error.filename).relative_to(source).as_posix()
        refused[folder] = f"the folder cannot be read ({error.strerror})"

    for folder, folders, files in os.walk(source, onerror=note):
        linked = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in (*files, *linked):
            path = Path(folder) / name
            yield path, path.relative_to(source).as_posix()


def _refusal(path: Path, root: Path) -> str | None:
    if path.is_symlink():
        if not path.exists():
            return "a link that leads nowhere"
        if not path.resolve().is_relative_to(root):
            return "a link that leaves the source folder"
        if path.is_dir():
            return "a link to a folder of the source, whose images are taken there"
    return None if path.is_file() else "not a regular file"


def output_names(photos: tuple[Photo, ...]) -> dict[str, str]:
    """Return path -> path of its aligned face, relative to the target.

    JPEG files keep their name; `a.png` becomes `a.jpg`, or `a.png.jpg` where `a.jpg` is taken.

    Raises:
        ValueError: If even that name is taken; the message has both files.
    """
    names = {photo.path: photo.path for photo in photos if _is_jpeg(photo.path)}
    others = [photo.path for photo in photos if not _is_jpeg(photo.path)]
    wanted = collections.Counter([*names.values(), *map(_as_jpeg, others)])
    taken = {output: path for path, output in names.items()}
    for path in others:
        # Of a.png and a.webp neither gets a.jpg by coming first: both say what they were.
        output = _as_jpeg(path) if wanted[_as_jpeg(path)] == 1 else f"{path}.jpg"
        if output in taken:
            raise ValueError(f"{path} and {taken[output]} would both become {output}: rename one.")
        names[path] = output
        taken[output] = path
    return names


def _is_jpeg(path: str) -> bool:
    return path.lower().endswith((".jpg", ".jpeg"))


def _as_jpeg(path: str) -> str:
    return str(PurePosixPath(path).with_suffix(".jpg"))
