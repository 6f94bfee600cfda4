"""Finds out which release of AffectNet a folder holds, and reads it."""

from __future__ import annotations

from pathlib import Path

from mtl_dm.datasets.affectnet._arrays import FOLDERS, read_arrays
from mtl_dm.datasets.affectnet._labels import exists
from mtl_dm.datasets.affectnet._lists import AUTOMATIC, MANUAL, read_lists
from mtl_dm.datasets.reading import Release, locate

FOLDER = "AffectNet"


def read(source: Path, *, faces: bool = False) -> Release:
    """Return the manually annotated images, of either release.

    Args:
        source: The folder that the user gave.
        faces: Whether to crop images to the face box.

    Raises:
        FileNotFoundError: If no release, or only part of one, is there.
        ValueError: If both releases are there, or one without face boxes is to be cropped.
    """
    root = locate("AffectNet", source, [*MANUAL.lists, *FOLDERS], FOLDER)
    lists = exists(root, MANUAL.lists)
    arrays = exists(root, tuple(FOLDERS))
    if lists and arrays:
        raise ValueError(
            f"{root} holds the release of 2017 ({lists}) and that of 2021 ({arrays}): give a "
            "folder that holds one."
        )
    if lists:
        return read_lists(root, MANUAL, faces)
    if faces:
        raise ValueError(
            f"{root} holds the release of 2021, which has no face boxes: its images are faces "
            "already. Build affectnet/manual."
        )
    return read_arrays(root)


def read_automatic(source: Path, *, faces: bool = False) -> Release:
    """Return the automatically annotated images of the release of 2017.

    Raises:
        FileNotFoundError: If they, or their table, are not there.
    """
    root = locate("automatically annotated AffectNet", source, AUTOMATIC.lists, FOLDER)
    return read_lists(root, AUTOMATIC, faces)


def read_either(source: Path) -> Release:
    """Return what a folder holds: manually annotated images, or else automatically annotated ones.

    Raises:
        FileNotFoundError: If it holds neither.
        ValueError: As `read` does.
    """
    places = (source, source / FOLDER)
    manual = any(exists(place, (*MANUAL.lists, *FOLDERS)) for place in places)
    automatic = any(exists(place, AUTOMATIC.lists) for place in places)
    return read_automatic(source) if automatic and not manual else read(source)
