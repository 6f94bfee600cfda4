"""Finds Aff-Wild2 in a folder, in one of its forms."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mtl_dm.datasets.aff_wild2 import _lists, _videos
from mtl_dm.datasets.aff_wild2._schema import IMAGE_FOLDERS
from mtl_dm.datasets.reading import Release


def read(source: Path) -> Release:
    """Return the release; see `ReleaseBuilder.release`.

    Raises:
        FileNotFoundError: If there are no annotations or no images; says what was looked for.
        ValueError: If a label file's header is wrong, both forms are there, or the expressions
            are there twice.
    """
    annotations = _annotations(source)
    places = [annotations] if annotations == source else [annotations, source]
    roots = [place for place in places if any((place / name).is_dir() for name in IMAGE_FOLDERS)]
    if not roots:
        where = " or ".join(str(place) for place in places)
        raise FileNotFoundError(
            f"Aff-Wild2 has no images: expected a folder {' or '.join(IMAGE_FOLDERS)} in {where}."
        )
    challenges = _has(annotations, _videos.CHALLENGES)
    lists = _has(annotations, _lists.LISTS)
    if challenges and lists:
        raise ValueError(
            f"{annotations} holds both Aff-Wild2 ({challenges}) and s-Aff-Wild2 ({lists}), whose "
            "sets differ; expected one of them: move the other away."
        )
    form = _videos.release if challenges else _lists.release
    return form(roots[0], annotations)


def _annotations(source: Path) -> Path:
    """Return the folder with the annotations: the source, or a folder in it."""
    known = (*_videos.CHALLENGES, *_lists.LISTS)
    below = sorted(path for path in source.iterdir() if path.is_dir())
    for place in (source, *below):
        if _has(place, known):
            return place
    raise FileNotFoundError(
        f"No Aff-Wild2 in {source} or a folder in it: expected {' or '.join(known)} there."
    )


def _has(place: Path, names: Iterable[str]) -> list[str]:
    return [name for name in names if (place / name).exists()]
