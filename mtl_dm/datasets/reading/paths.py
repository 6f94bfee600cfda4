"""Paths from label files: they stay inside the source folder."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from absl import logging

from mtl_dm.files import printable

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
"""Endings of image files, in lower case."""


def locate(what: str, source: Path, expected: Sequence[str], folder: str = "") -> Path:
    """Return `source`, or else `source/folder`: the one that holds one of the expected names.

    Args:
        what: Name of the release, for the message.
        source: The folder that the user gave.
        expected: Files and folders (globs may be used) by which the release is known.
        folder: Name that the release's own folder has.

    Raises:
        FileNotFoundError: If neither holds one; the message says what was looked for.
    """
    for place in (source, source / folder):
        if any(any(place.glob(name)) for name in expected):
            return place
    where = f"{source} or its folder {folder}/" if folder else str(source)
    raise FileNotFoundError(f"No {what} in {where}: expected {' or '.join(expected)} there.")


def clean(text: str) -> str:
    r"""Return a relative path in one spelling: "/" between parts, no "." and no empty parts.

    A backslash separates parts, too, since tables are also written on Windows.

    Raises:
        ValueError: If the path is empty, absolute, climbs with "..", or cannot be a path.
    """
    given = text.strip()
    text = given.replace("\\", "/")
    if text.startswith("/") or re.match(r"[A-Za-z]:", text):
        raise ValueError(
            f"the path {given!r} is absolute; expected one relative to the source folder"
        )
    parts = PurePosixPath(text).parts
    if ".." in parts:
        raise ValueError("the path contains '..'; expected one inside the source folder")
    if not parts:
        raise ValueError("the path is empty")
    if "\0" in text or not _encodable(text):
        raise ValueError("the path has characters that no text can hold")
    return "/".join(parts)


def inside(root: Path, relative: str) -> Path:
    """Return where a cleaned path leads, symbolic links followed.

    Raises:
        ValueError: If links lead out of `root`.
    """
    real_root = os.path.realpath(root)
    real = os.path.realpath(root / relative)
    if os.path.commonpath([real_root, real]) != real_root:
        raise ValueError("a symbolic link leads out of the source folder")
    return Path(real)


def require_inside(root: Path, names: Iterable[str]) -> None:
    """Check that no file is a link out of a folder; `image_files` leaves out folders that are.

    Args:
        root: The folder.
        names: Of files, relative to it.

    Raises:
        ValueError: If one is; names it.
    """
    for name in names:
        path = root / name
        if path.is_symlink():
            try:
                inside(root, name)
            except ValueError as error:
                raise ValueError(f"{printable(path)}: {error}.") from error


def image_files(root: Path, folder: str = ".", *, ordered: bool = True) -> Iterator[str]:
    """Yield the image files under a folder, relative to `root`, in cleaned form.

    Links inside `root` are followed, except in circles; hidden files (some systems leave
    "._name.jpg" beside an image) are left out. A folder that cannot be read is named in the log,
    and its images are missing ones.

    Args:
        root: The source folder.
        folder: Where to look, relative to it; may be missing, then nothing is yielded.
        ordered: Whether in the order of the names. A folder is then listed in memory.
    """
    prefix = "" if folder == "." else f"{folder}/"
    yield from _walk(root, prefix, ordered, {os.path.realpath(root / folder)})


def _walk(root: Path, prefix: str, ordered: bool, above: set[str]) -> Iterator[str]:
    try:
        if not (root / prefix).is_dir():
            return
        listing = os.scandir(root / prefix)
    except OSError as error:
        say_unreadable(root / prefix, error.strerror or str(error))
        return
    with listing as listed:
        entries = sorted(listed, key=lambda entry: entry.name) if ordered else listed
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = f"{prefix}{entry.name}"
            if is_folder(entry):
                real = os.path.realpath(root / path)
                if real not in above and not _leaves(root, path):
                    yield from _walk(root, f"{path}/", ordered, above | {real})
            elif os.path.splitext(entry.name)[1].lower() in SUFFIXES:  # noqa: PTH122 - speed
                yield path


def is_folder(entry: os.DirEntry[str], *, follow_symlinks: bool = True) -> bool:
    """Return whether an entry of a folder is one; a link in a circle is none."""
    try:
        return entry.is_dir(follow_symlinks=follow_symlinks)
    except OSError:
        return False


@functools.lru_cache(maxsize=1024)
def say_unreadable(folder: Path, reason: str) -> None:
    """Log, once, that a folder of images cannot be looked into."""
    logging.warning("The folder %s cannot be read (%s): its images are left out.", folder, reason)


def _leaves(root: Path, path: str) -> bool:
    try:
        inside(root, path)
    except ValueError:
        return True
    return False


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # a name that is no UTF-8 on disk
        return False
    return True
