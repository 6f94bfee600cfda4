"""A database: images in a folder, and moods.csv beside them with the columns path and mood."""

import csv
import functools
from collections.abc import Iterator
from pathlib import Path

import tensorflow_datasets as tfds

from mtl_dm import Task, datasets
from mtl_dm.datasets.reading import Release, ReleaseBuilder, Row, Skipped

MOOD = Task.multiclass("mood", ("glad", "sad", "calm"))
FILE = "moods.csv"


@datasets.register
class MyDatabase(ReleaseBuilder):
    """Postcards with a mood each. TFDS makes the name of the class `my_database`."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 - a TFDS class attribute
    MANUAL_DOWNLOAD_INSTRUCTIONS = "The manual directory holds moods.csv and the images it names."
    TASKS = (MOOD,)
    DESCRIPTION = "Scanned postcards; the owner of the shop said what mood each is in."
    LICENSE = "In the public domain."
    CITATION = "@misc{my_database, title = {My database}, year = {2024}}"

    def release(self, source: Path) -> Release:
        """Return what is in the source folder.

        Raises:
            FileNotFoundError: If the table is not there.
        """
        if not (source / FILE).is_file():
            raise FileNotFoundError(f"{source} holds no {FILE}.")
        rows = {split: functools.partial(read, source, split) for split in ("train", "test")}
        return Release(source, rows, listed=(".",), tasks=self.TASKS)


def read(source: Path, split: str) -> Iterator[Row | Skipped]:
    """Yield the rows of a split: every fifth row of the table is tested."""
    with (source / FILE).open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            if (number % 5 == 4) != (split == "test"):
                continue
            if row["mood"] in MOOD.labels:
                yield Row(row["path"], {"mood": MOOD.labels.index(row["mood"])})
            else:
                yield Skipped(row["path"], f"the mood {row['mood']!r} is none of {MOOD.labels}")
