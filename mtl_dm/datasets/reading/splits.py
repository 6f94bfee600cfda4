"""A split that a reader made, saved beside the data set."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

SPLIT_FILE = "split.csv"


def save_split(folder: Path, assignments: Iterable[tuple[str, str]]) -> None:
    """Write the columns path and split.

    Args:
        folder: Where the data set is being built, that is its builder's `data_dir`.
        assignments: Path, relative to the root of the release, and split.
    """
    with (folder / SPLIT_FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["path", "split"])
        writer.writerows(assignments)
