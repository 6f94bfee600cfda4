"""The real images of the study, part by part, with what is known of each.

Shapes: N images of 48 pixels a side, M facial movements.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.problems import clothing_photos, cmu_people, lfw_people
from experiments.problems.facial_movements import binary
from experiments.problems.people import SIDE, People, classes_of, without_copies
from experiments.problems.real_faces_data import RealFaces, real_faces
from experiments.transferring.sizes import Size

USED = ("faces", "cmu_faces", clothing_photos.FOLDER)
"""Folders of data."""
DETECTED = "detected"
FEWEST = 4
"""Photos of a person of LFW that is trained on to tell people apart."""
MOST = 20
"""Photos of a person of LFW that are used, so that nobody fills a small part alone."""
MOVED = 2000
"""Photos of LFW that facial movements are learned from, and tested on, at most."""


class Part(NamedTuple):
    """Images of one kind, uint8 [N, 48, 48, 3], and arrays of what is known of them, by name."""

    images: np.ndarray
    known: Mapping[str, np.ndarray]


def parts(data_dir: str, size: Size) -> Iterator[tuple[str, Part]]:
    """Yield name and images of each part.

    Args:
        data_dir: Folder of `USED`.
        size: Of the study.

    Raises:
        FileNotFoundError: If data are not there.
        ValueError: If data are malformed.
    """
    fer, lfw, _ = size.unlabelled
    faces = real_faces(str(Path(data_dir) / "faces"))
    yield "fer_unlabelled", Part(_colour(faces.train.images[:fer]), {})
    for name, part, most in (
        # Not trained on by any source that was made here; `small_faces`' temperatures are fitted
        # to them, which a source does not use. What public ones saw is not said.
        ("fer_train", faces.held_out, size.train),
        ("fer_test", faces.test, size.test),
    ):
        kept = part.take(some(len(part.images), most))
        known = {"expression": kept.expression, DETECTED: kept.is_measured}
        yield name, Part(_colour(kept.images), known)
    half = lfw_people.half_of(lfw_people.photos(data_dir), 0)
    yield "lfw_train", _told_apart(half.train.take(whole_people(half.train.person, lfw)))
    # Both read one file by one rule: photos and movements stand in one order.
    if not np.array_equal(faces.lfw_test.images, half.test.images):
        raise ValueError("The test photos of LFW are not those whose movements were read.")
    yield "lfw_test", _tested(half, data_dir, moved(faces, min(MOVED, size.test)))
    yield "movements_train", _moving(faces, half.test, min(MOVED, size.train))
    people = cmu_people.photos(data_dir)
    known = {"person": people.person, "expression": people.expression}
    yield (
        "cmu",
        Part(_colour(people.images), {**known, "sunglasses": cmu_people.sunglasses(data_dir)}),
    )
    clothes = clothing_photos.photos(data_dir, SIDE)
    known = {"category": clothes.category, "gender": clothes.gender}
    yield "cad", Part(clothes.images, {**known, "image": np.arange(len(clothes.images))})


def whole_people(person: np.ndarray, most: int) -> np.ndarray:
    """Return the rows of whole people in a drawn order, `MOST` rows each, `most` in all.

    Args:
        person: [N], any numbers.
        most: Nobody who would make it more is taken, nor anybody behind.
    """
    generator = np.random.default_rng(0)
    chosen: list[np.ndarray] = []
    for each in generator.permutation(np.unique(person)):
        rows = np.flatnonzero(person == each)
        kept = np.sort(generator.permutation(rows)[:MOST])
        if sum(map(len, chosen)) + len(kept) > most:
            break
        chosen.append(kept)
    return np.concatenate(chosen) if chosen else np.zeros(0, np.int64)


def _told_apart(train: People) -> Part:
    _, places, counts = np.unique(train.person, return_inverse=True, return_counts=True)
    several = np.where(counts[places] >= FEWEST, train.person, -1)
    return Part(_colour(train.images), {"person": classes_of(several)})


def moved(faces: RealFaces, most: int) -> np.ndarray:
    """Return the movements of LFW's test photos, int64 [N, M]; -1 for all but so many, drawn."""
    found = binary(faces.lfw_test.scores, faces.thresholds)
    rows = np.flatnonzero(faces.lfw_test.is_measured)
    kept = np.zeros(len(found), bool)
    kept[rows[some(len(rows), most)]] = True
    return np.where(kept[:, None], found, -1)


def _tested(half: lfw_people.Half, data_dir: str, movements: np.ndarray) -> Part:
    pairs = lfw_people.pairs_of(data_dir).of_folds(lfw_people.FOLDS[0])
    found = pairs.among(half.files, skip=True)
    order = {name: place for place, name in enumerate(half.files)}
    at = np.array([order.get(name, -1) for name in found.images])
    known = {"first": at[found.first], "second": at[found.second]}
    known |= {"same": found.same, "fold": found.fold, "facial_movements": movements}
    return Part(_colour(half.test.images), known)


def _moving(faces: RealFaces, test: People, most: int) -> Part:
    """Return training photos, which stand in a drawn order, without copies of a test photo."""
    train = faces.lfw_train
    numbered = People(train.images, np.arange(len(train.images)), train.expression)
    kept = train.take(without_copies(numbered, test).person[:most])
    return Part(_colour(kept.images), {"facial_movements": binary(kept.scores, faces.thresholds)})


def some(count: int, most: int) -> np.ndarray:
    """Return at most so many places, drawn, in order: those of a folder stand by classes."""
    return np.sort(np.random.default_rng(0).permutation(count)[:most])


def _colour(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey[..., None], 3, axis=-1)
