"""The rows of a release beside the image files that are there."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mtl_dm.datasets.reading.items import Row
from mtl_dm.datasets.reading.keys import Keys, contains, digest
from mtl_dm.datasets.reading.paths import image_files
from mtl_dm.datasets.reading.release import Release
from mtl_dm.datasets.reading.survey import Survey
from mtl_dm.files import printable

EXAMPLES = 5


class Comparison(NamedTuple):
    """What rows and image files do not share.

    Attributes:
        missing: How many rows have no image file.
        missing_examples: The first of their paths.
        unlabelled: How many image files no item mentions.
        unlabelled_examples: The first of their paths.
    """

    missing: int
    missing_examples: tuple[str, ...]
    unlabelled: int
    unlabelled_examples: tuple[str, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """A line for each of the two that is not zero."""
        found = []
        if self.missing:
            names = _few(self.missing, self.missing_examples)
            found.append(f"{self.missing:,} row(s) without an image file, to be skipped: {names}.")
        if self.unlabelled:
            names = _few(self.unlabelled, self.unlabelled_examples)
            found.append(f"{self.unlabelled:,} image(s) without a row, left out: {names}.")
        return tuple(found)


def _few(count: int, examples: tuple[str, ...]) -> str:
    return ", ".join(map(printable, examples)) + (", ..." if count > len(examples) else "")


def compare(release: Release, found: Survey) -> Comparison:
    """List the image folders once, as a stream, and compare them with the rows."""
    files = Keys()
    unlabelled = 0

    def strangers() -> Iterator[str]:
        nonlocal unlabelled
        for folder in release.listed:
            for path in image_files(release.root, folder, ordered=False):
                key = digest(path)
                files.add(key)
                if not contains(found.known, key):
                    unlabelled += 1
                    yield path

    # The folders are listed in no order; the first names are the same every time.
    examples = tuple(heapq.nsmallest(EXAMPLES, strangers()))
    absent = found.images[~np.isin(found.images, files.sorted())]
    return Comparison(len(absent), _first_absent(release, absent), unlabelled, examples)


def _first_absent(release: Release, absent: np.ndarray) -> tuple[str, ...]:
    if not len(absent):
        return ()
    items = itertools.chain.from_iterable(start() for start in release.splits.values())
    paths = (
        item.path for item in items if isinstance(item, Row) and contains(absent, digest(item.path))
    )
    return tuple(itertools.islice(paths, EXAMPLES))
