"""Who trains and who is compared in each column of the study of dynamic weights."""

from __future__ import annotations

import functools

import numpy as np

from experiments.problems import cmu_people, lfw_people
from experiments.problems.face_verification import Faces
from experiments.problems.people import SIDE, Crop, People, built_people, classes_of, together
from mtl_dm import data
from mtl_dm.data.pairs import Pairs, draw_pairs
from mtl_dm.datasets.reading.subjects import SPLITS
from mtl_dm.tasks import EXPRESSIONS

NAME = "synthetic_identities"
CROP: Crop = (8, 12, 56, 60)
"""What is used of a drawn face of 64 px: from above the brows to below the mouth, without most of
the hair."""
PAIR_SEED = 0
FOLDS = 10
CMU_FOLDS = 5
"""Of ten people two each."""


def drawn(split: str, data_dir: str, side: int = SIDE) -> People:
    """Return drawn people, built on first use.

    Args:
        split: Of `synthetic_identities`.
        data_dir: Folder of built data sets.
        side: Of the images.
    """
    return built_people(f"{NAME}:{split}", data_dir, side, CROP)


@functools.lru_cache(maxsize=2)
def synthetic(data_dir: str, test: str = "test") -> Faces:
    """Return drawn people: others to pretrain on, and to train on, than those who are compared.

    Args:
        data_dir: Folder of built data sets.
        test: "test", or "validation" to choose settings on.
    """
    tested = drawn(test, data_dir)
    return Faces(
        drawn("pretraining", data_dir),
        drawn("train", data_dir),
        tested,
        *numbered(tested, FOLDS),
        EXPRESSIONS,
    )


@functools.lru_cache(maxsize=2)
def lfw(source: str, data_dir: str, half: int) -> Faces:
    """Return Labeled Faces in the Wild, official pairs of half of the folds.

    Pretrained on training people with two photos at least, and on drawn people.

    Args:
        source: As for `lfw_people.photos`.
        data_dir: Folder of built data sets.
        half: As for `lfw_people.half_of`.

    Raises:
        FileNotFoundError: If the photos are not there.
        ValueError: If a file is malformed.
    """
    found = lfw_people.photos(source)
    part = lfw_people.half_of(found, half)
    pairs = lfw_people.pairs_of(source).of_folds(lfw_people.FOLDS[half])
    several = part.train.take(np.flatnonzero(classes_of(part.train.person) >= 0))
    return Faces(
        together(several, drawn("pretraining", data_dir)),
        part.train,
        part.test,
        part.files,
        pairs.among(part.files, skip=True),
        EXPRESSIONS,
    )


@functools.lru_cache(maxsize=2)
def cmu(source: str, data_dir: str, half: int) -> Faces:
    """Return CMU's twenty people, ten to train on and ten to compare; pretrained on drawn people.

    Args:
        source: As for `cmu_people.photos`.
        data_dir: Folder of built data sets.
        half: As for `cmu_people.half_of`.

    Raises:
        FileNotFoundError: If the photos are not there.
        ValueError: If the file is malformed.
    """
    train, test = cmu_people.half_of(cmu_people.photos(source), half)
    return Faces(
        drawn("pretraining", data_dir),
        train,
        test,
        *numbered(test, CMU_FOLDS),
        cmu_people.EXPRESSIONS,
    )


@functools.lru_cache(maxsize=1)
def folded(name: str, data_dir: str, fold: int, folds: int, side: int) -> Faces:
    """Return a fold of a built database with identities: its people are compared, the others train.

    Args:
        name: Without the split; all of its splits are read.
        data_dir: Folder of built data sets.
        fold: Whose people are compared.
        folds: By person, in the order of a drawn permutation.
        side: Of the images.

    Raises:
        FileNotFoundError: If the data set is not built.
        ValueError: If it has no identities or no expressions.
    """
    parts = [built_people(f"{name}:{split}", data_dir, side) for split in SPLITS]
    people = People(*(np.concatenate(each) for each in zip(*parts, strict=True)))
    numbers = np.random.default_rng(PAIR_SEED).permutation(sorted(people.people))
    tested = np.isin(people.person, numbers[fold::folds])
    test = people.take(np.flatnonzero(tested))
    tasks = {task.name: task for task in data.tasks_in(f"{name}:{SPLITS[0]}", data_dir=data_dir)}
    return Faces(
        drawn("pretraining", data_dir, side),
        people.take(np.flatnonzero(~tested)),
        test,
        *numbered(test, min(FOLDS, len(test.people) // 2)),
        tasks["expression"].labels,
    )


def numbered(test: People, folds: int) -> tuple[tuple[str, ...], Pairs]:
    """Return names of test images, their places, and pairs that are drawn of them.

    Args:
        test: The images.
        folds: Of the pairs; nobody is in two.
    """
    files = tuple(str(place) for place in range(len(test.images)))
    return files, draw_pairs(test.person, folds=folds, seed=PAIR_SEED, images=files)
