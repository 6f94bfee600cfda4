"""Reads the shoes: types from names and folders, attributes from shoes_attributes.mat."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mtl_dm.datasets.reading import MISSING, Release, Row, image_files, locate
from mtl_dm.datasets.reading.keys import digest
from mtl_dm.datasets.shoes_sadd._annotations import ATTRIBUTES, TYPES, Annotations, read_annotations
from mtl_dm.datasets.shoes_sadd._binarise import RULES, binarise
from mtl_dm.tasks import Task

TASKS = (Task.multiclass("category", TYPES), Task.multilabel("attributes", ATTRIBUTES))

FILE = "shoes_attributes.mat"
PREFIX = "womens_"

SPLITS = ("train", "test")
PUBLISHED = {"train": 7_400, "test": 7_300}
"""Rounded to hundreds, as printed."""

SEED = 0


class Shoes(NamedTuple):
    """The images in the order of the release, each with its labels and its split.

    Attributes:
        paths: Where each image is, or should be.
        types: int64 [N], place in `TYPES`.
        attributes: int8 [N, 10].
        testing: bool [N], whether the image is in the test set.
    """

    paths: tuple[str, ...]
    types: npt.NDArray[np.int64]
    attributes: npt.NDArray[np.int8]
    testing: npt.NDArray[np.bool_]


def read(source: Path, rule: str = next(iter(RULES))) -> Release:
    """Return the release; see `ReleaseBuilder.release`.

    Args:
        source: The folder.
        rule: How attributes become binary; see `binarise`.

    Raises:
        FileNotFoundError: If there are no folders of shoes, or no file of attributes.
        ValueError: If that file is malformed or there is no such rule.
    """
    root, path = _find(source)
    annotations = read_annotations(path)
    shoes = _shoes(root, annotations, rule)
    folders = [PREFIX + name for name in TYPES if (root / (PREFIX + name)).is_dir()]
    absent = [name for name in TYPES if PREFIX + name not in folders]
    known = np.mean(shoes.attributes != MISSING)
    return Release(
        root,
        {split: functools.partial(_rows, shoes, split) for split in SPLITS},
        listed=tuple(folders),
        facts=(
            f"Shoes in {root}; {len(annotations.pairs):,} comparisons in {path.name}.",
            f"Attributes are binary by the rule {rule} ({RULES[rule]}): {known:.1%} known.",
            f"The split is made here, with seed {SEED}.",
        ),
        warnings=(
            *_counts(shoes),
            *(f"No folder {PREFIX}{name}." for name in absent),
            *_constant(shoes.attributes),
        ),
        tasks=TASKS,
    )


def _find(source: Path) -> tuple[Path, Path]:
    """Return the folder with the types, and the file of attributes."""
    root = locate("Shoes (SADD)", source, [PREFIX + name for name in TYPES], "shoes")
    for place in dict.fromkeys((root, source)):
        # In it, or in a folder in it.
        found = sorted((*place.glob(FILE), *place.glob(f"*/{FILE}")))
        if found:
            return root, found[0]
    raise FileNotFoundError(f"{root} has no {FILE}: expected it there or in a folder there.")


def _shoes(root: Path, annotations: Annotations, rule: str) -> Shoes:
    there: dict[str, str] = {}
    for name in TYPES:
        for path in image_files(root, PREFIX + name):
            there.setdefault(path.rpartition("/")[2], path)
    paths = (
        # Nothing says in which of its folders, 0 or 1, an absent image should be.
        there.get(name, f"{PREFIX}{TYPES[kind]}/0/{name}")
        for name, kind in zip(annotations.names, annotations.types, strict=True)
    )
    return Shoes(
        tuple(paths),
        annotations.types,
        binarise(annotations, rule),
        in_test(annotations.names),
    )


def in_test(names: tuple[str, ...], seed: int = SEED) -> npt.NDArray[np.bool_]:
    """Return which images are for testing: 73 of 147, drawn from names and seed.

    Args:
        names: The images, all different.
        seed: Seed of the draw.
    """
    order = np.argsort(np.array([digest(f"{seed} {name}") for name in names], dtype=np.uint64))
    testing = np.zeros(len(names), dtype=bool)
    testing[order[: round(len(names) * PUBLISHED["test"] / sum(PUBLISHED.values()))]] = True
    return testing


def _rows(shoes: Shoes, split: str) -> Iterator[Row]:
    for place in np.flatnonzero(shoes.testing == (split == "test")):
        labels = {"category": int(shoes.types[place]), "attributes": shoes.attributes[place]}
        yield Row(shoes.paths[place], labels, f"image {place + 1} of {FILE}")


def _counts(shoes: Shoes) -> Iterator[str]:
    found = {"train": int(np.sum(~shoes.testing)), "test": int(np.sum(shoes.testing))}
    for split, count in found.items():
        if round(count, -2) != PUBLISHED[split]:
            yield f"{count:,} rows in {split} where about {PUBLISHED[split]:,} were published."


def _constant(attributes: npt.NDArray[np.int8]) -> Iterator[str]:
    for place, name in enumerate(ATTRIBUTES):
        values = set(attributes[:, place].tolist()) - {MISSING}
        if len(values) < 2:
            what = f"{values.pop()} wherever it is known" if values else "nowhere known"
            yield f"The attribute {name} is {what}; another rule may split it better."


def assignments(source: Path) -> Mapping[str, str]:
    """Return the split of every image, by path."""
    root, path = _find(source)
    shoes = _shoes(root, read_annotations(path), next(iter(RULES)))
    return {
        path: SPLITS[int(testing)] for path, testing in zip(shoes.paths, shoes.testing, strict=True)
    }
