"""The list of what was skipped, kept with the data set."""

from __future__ import annotations

import csv
from pathlib import Path

from absl import logging

from mtl_dm.datasets.reading.items import Skipped
from mtl_dm.files import printable

SKIPPED_FILE = "skipped.csv"
_SHOWN = 10


class SkipList:
    """Lists skipped items in `skipped.csv` as they come and warns of the first few.

    Args:
        folder: Where the data set is being built. TFDS builds in a temporary folder, so a crash
            leaves no half list either.
    """

    def __init__(self, folder: Path) -> None:
        self.count = 0
        self._path = folder / SKIPPED_FILE
        self._path.unlink(missing_ok=True)
        self._append(Skipped._fields)

    def add(self, skipped: Skipped) -> None:
        """Count, list and, for the first ones, warn."""
        self.count += 1
        skipped = skipped._replace(path=printable(skipped.path))
        if self.count <= _SHOWN:
            logging.warning("Skipped %s: %s", *skipped)
        if self.count == _SHOWN:
            logging.warning("Further skipped images are listed in %s only", SKIPPED_FILE)
        self._append(skipped)

    def _append(self, fields: tuple[str, ...]) -> None:
        with self._path.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerow(fields)
