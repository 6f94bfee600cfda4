"""The challenge form: one label file a video and task, in folders by challenge and set."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

from mtl_dm.datasets._check import count_warnings
from mtl_dm.datasets.aff_wild2._schema import (
    FRAMES,
    IMAGE_FOLDERS,
    TASKS,
    VIDEOS,
    Labels,
    image_folder,
    why_nothing,
)
from mtl_dm.datasets.aff_wild2._tracks import Kind, columns_of, count_frames, read_track
from mtl_dm.datasets.reading import BadLine, Item, Release, Row, Skipped

CHALLENGES: Mapping[str, Kind] = {
    "VA_Estimation_Challenge": "valence_arousal",
    "EXPR_Classification_Challenge": "expression",
    "EXPR_Recognition_Challenge": "expression",
    "AU_Detection_Challenge": "action_units",
}
"""Folder of a challenge -> what its files label."""

SETS = {"Train_Set": "train", "Validation_Set": "validation"}


@dataclasses.dataclass(frozen=True)
class Video:
    """One video, or one person of it (`_left`, `_right`).

    Attributes:
        name: Name of its label files and of its folder of images.
        files: What is labelled -> label file.
    """

    name: str
    files: Mapping[Kind, Path]


def release(root: Path, annotations: Path) -> Release:
    """Return the release whose challenge folders are in `annotations`.

    Raises:
        FileNotFoundError: If a challenge has neither set.
        ValueError: If the expressions are there twice, or a header is wrong.
    """
    found = _files(annotations)
    splits, shared = _splits(found)
    videos = [video for entries in splits.values() for video in entries]
    columns = {
        (kind, len(columns_of(path, kind)))
        for video in videos
        for kind, path in video.files.items()
    }
    lengths = {
        video.name: [count_frames(path) for path in video.files.values()] for video in videos
    }
    kinds = ", ".join(f"{kind} ({size} columns)" for kind, size in sorted(columns))
    return Release(
        root,
        {
            split: functools.partial(_frames, root, entries)
            for split, entries in splits.items()
            if entries
        },
        listed=tuple(folder for folder in IMAGE_FOLDERS if (root / folder).is_dir()),
        facts=(
            f"Aff-Wild2 in {root}: {len(videos):,} labelled videos; {kinds}.",
            "Frames in which no face was detected have no file: they count as missing.",
        ),
        warnings=(*_counts(lengths), *_unequal(lengths), *_shared(shared)),
        tasks=TASKS,
    )


def _files(annotations: Path) -> dict[str, dict[Kind, dict[str, Path]]]:
    """Return split -> kind -> video -> label file."""
    folders = [name for name in CHALLENGES if (annotations / name).is_dir()]
    kinds = [CHALLENGES[name] for name in folders]
    if len(set(kinds)) < len(kinds):
        raise ValueError(f"{annotations} holds the expressions twice: {folders}; keep one folder.")
    found: dict[str, dict[Kind, dict[str, Path]]] = {split: {} for split in SETS.values()}
    for name in folders:
        present = [folder for folder in SETS if (annotations / name / folder).is_dir()]
        if not present:
            raise FileNotFoundError(f"{annotations / name}: expected {' or '.join(SETS)} there.")
        for folder in present:
            paths = (annotations / name / folder).glob("*.txt")
            visible = sorted(path for path in paths if not path.name.startswith("."))
            found[SETS[folder]][CHALLENGES[name]] = {path.stem: path for path in visible}
    return found


def _splits(
    found: Mapping[str, Mapping[Kind, Mapping[str, Path]]],
) -> tuple[dict[str, list[Video]], list[str]]:
    """Return the videos by split, and those that challenges put into different sets."""
    names = {
        split: {name for entries in kinds.values() for name in entries}
        for split, kinds in found.items()
    }
    shared = sorted(names["train"] & names["validation"])
    names["train"] -= names["validation"]
    splits = {
        split: [
            Video(
                name,
                {kind: files[name] for kind, files in found[split].items() if name in files},
            )
            for name in sorted(members)
        ]
        for split, members in names.items()
    }
    return splits, shared


def _frames(root: Path, videos: list[Video]) -> Iterator[Item]:
    for video in videos:
        folder = f"{image_folder(root, video.name)}/{video.name}"
        tracks = [read_track(path, kind) for kind, path in video.files.items()]
        for number, parts in enumerate(itertools.zip_longest(*tracks, fillvalue={}), start=1):
            yield from _frame(
                f"{folder}/{number:05d}.jpg", parts, f"{video.name}.txt, line {number + 1}"
            )


def _frame(path: str, parts: tuple[Labels | BadLine, ...], where: str) -> Iterator[Item]:
    labels: dict[str, object] = {}
    bad = False
    for part in parts:
        if isinstance(part, BadLine):
            bad = True
            yield part
        else:
            labels |= part
    if bad:
        return
    reason = why_nothing(labels)
    yield Skipped(path, f"{where}: {reason}") if reason else Row(path, labels, where)


def _counts(lengths: Mapping[str, list[int]]) -> Iterator[str]:
    yield from count_warnings("videos with labels", len(lengths), VIDEOS)
    frames = sum(max(counts) for counts in lengths.values())
    if round(frames, -5) != FRAMES:
        yield f"{frames:,} frames with labels where about {FRAMES:,} were published."


def _unequal(lengths: Mapping[str, list[int]]) -> Iterator[str]:
    names = [name for name, counts in lengths.items() if len(set(counts)) > 1]
    if names:
        yield (
            f"{len(names)} video(s) have label files of different lengths (the first: {names[0]}, "
            f"{lengths[names[0]]} frames): what a shorter one lacks is not annotated."
        )


def _shared(names: list[str]) -> Iterator[str]:
    if names:
        yield (
            f"{len(names)} video(s) are in the Train_Set of one challenge and the Validation_Set "
            f"of another (the first: {names[0]}): they are in the split validation, with the "
            "labels of their Validation_Set only."
        )
