"""Faces with the person and the expression of each, in memory: who trains, who is compared.

Shapes: N images of S pixels along a side.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np

from mtl_dm import data

SIDE = 48
NOBODY = -1
"""Number of the person where nobody knows who it is."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
Crop = tuple[int, int, int, int]
"""Left, top, right, bottom, in pixels."""
_STORED = {"images": "<u1", "person": "<i8", "expression": "<i8"}
"""Types of the arrays in a digest, the same on every machine."""


class People(NamedTuple):
    """Images with who they show and how.

    Attributes:
        images: uint8 [N, S, S], grey.
        person: int64 [N], any numbers from 0; -1 where the person is not known.
        expression: int64 [N], class ids; -1 where there is none.
    """

    images: np.ndarray
    person: np.ndarray
    expression: np.ndarray

    def take(self, rows: np.ndarray) -> People:
        """Return some of the images, in the order of `rows`."""
        return People(*(part[rows] for part in self))

    @property
    def people(self) -> set[int]:
        """The people whose numbers are known."""
        return set(self.person.tolist()) - {NOBODY}


def classes_of(person: np.ndarray) -> np.ndarray:
    """Return class ids of people to tell apart, int64 [N]; -1 for whoever has one image alone.

    A class of one image has no second one to be like.

    Args:
        person: int64 [N], -1 where not known.
    """
    numbers, places, counts = np.unique(person, return_inverse=True, return_counts=True)
    several = (counts > 1) & (numbers != NOBODY)
    ids = np.where(several, np.cumsum(several) - 1, NOBODY)
    return ids[places].astype(np.int64)


def together(*parts: People) -> People:
    """Return all images of several sets, whose people are different ones.

    The numbers of a later set are moved behind those of the earlier ones.
    """
    moved, first = [], 0
    for part in parts:
        known = part.person != NOBODY
        moved.append(part._replace(person=np.where(known, part.person + first, NOBODY)))
        first += 1 + int(part.person.max(initial=NOBODY))
    return People(*(np.concatenate(each) for each in zip(*moved, strict=True)))


def without_copies(train: People, test: People) -> People:
    """Return the training images that are no copy of a test image, pixel by pixel.

    A photo may be in a database twice, under two names.
    """
    tested = {image.tobytes() for image in test.images}
    own = [image.tobytes() not in tested for image in train.images]
    return train.take(np.flatnonzero(own))


def digest_of(parts: Mapping[str, People]) -> str:
    """Return a digest of pixels, people and expressions, of which part they are and their order.

    Args:
        parts: By name.
    """
    found = hashlib.sha256()
    for name, part in parts.items():
        for field, values in part._asdict().items():
            stored = np.ascontiguousarray(values, _STORED[field])
            found.update(f"{name} {field} {stored.shape}\n".encode())
            found.update(stored.tobytes())
    return found.hexdigest()


def grey(images: np.ndarray) -> np.ndarray:
    """Return the brightness of colour images, uint8.

    Args:
        images: [..., 3], RGB in [0, 255].
    """
    return np.rint(images.astype(np.float32) @ _LUMA).clip(0, 255).astype(np.uint8)


def resized(images: np.ndarray, side: int) -> np.ndarray:
    """Return images of another size, each pixel the mean of what it covers.

    Args:
        images: uint8 [N, H, W].
        side: Of the result.
    """
    if images.shape[1:] == (side, side):
        return images
    shape = (side, side)
    return np.stack([cv2.resize(each, shape, interpolation=cv2.INTER_AREA) for each in images])


@functools.lru_cache(maxsize=8)
def built_people(name: str, data_dir: str, side: int = SIDE, crop: Crop | None = None) -> People:
    """Return a built data set with identities and expressions, read once in a process.

    Args:
        name: As for `mtl_dm.data.load`.
        data_dir: Folder of built data sets.
        side: Of the images.
        crop: What is used of a stored image; None: all of it.

    Raises:
        FileNotFoundError: If the data set must be built from a download first.
        ValueError: If a name is unknown, or the data set has no identities or no expressions.
    """
    tasks = {task.name: task for task in data.outline(name, data_dir=data_dir).tasks}
    missing = sorted({"identity", "expression"} - set(tasks))
    if missing:
        raise ValueError(f"The data set {name!r} has no {missing}, only {sorted(tasks)}.")
    wanted = [tasks["identity"], tasks["expression"]]
    labels = data.label_arrays(name, data_dir=data_dir, tasks=wanted, one_hot=False)
    size = side if crop is None else None
    source = data.load(name, data_dir=data_dir, tasks=[], image_size=size)
    left, top, right, bottom = crop or (0, 0, side, side)
    images = [
        grey((image[top:bottom, left:right] + 1) * 127.5)
        for image, _, _ in source.as_numpy_iterator()
    ]
    people, expression = (labels[task.name][0] for task in wanted)
    return People(resized(np.stack(images), side), people, expression)
