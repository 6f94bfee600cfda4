"""Writes a tiny folder of a user's own."""

import csv
from pathlib import Path

from tests.datasets.fakes import Layout, write_image

HEADER = (
    "path",
    "class:expression",
    "class:weather",
    "attribute:action_units:AU12",
    "attribute:action_units:AU1",
    "attribute:looks:hat",
    "value:valence_arousal:arousal",
    "value:valence_arousal:valence",
    "ignore:notes",
    "subject",
)
# Image, then the cells in the header's order.
ROWS = [
    ("images/anna 1.jpg", "happiness", "sun", 1, 0, "", 0.5, 0.8, "first, with comma", "anna"),
    ("images/anna 2.jpg", "", "rain", "", "", 1, "", "", 'a "quote"', "anna"),
    ("images/bjørn.jpg", "neutral", "", 0, 1, 0, "", -0.25, "", "bjørn"),
    ("images/deep/bjørn 2.jpg", "disgust", "fog", "", "", "", "", "", "", "bjørn"),
    ("images/cy.jpg", "anger", "sun", 1, "1.0", "0.0", 0, 0, "", "cy"),
    ("images/dee.jpg", "fear", "", "", "", 1, "", "", "", "dee"),
]


def write_table(folder: Path, header, rows, **options) -> Path:
    path = folder / "labels.csv"
    folder.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=options.pop("encoding", "utf-8"), newline="") as file:
        csv.writer(file, **options).writerows([header, *rows])
    return path


def write_images(folder: Path, rows) -> None:
    for number, row in enumerate(rows):
        write_image(folder / row[0], seed=number)


def write_subjects(parent: Path, count: int = 12) -> Path:
    """The rows above, then further subjects with one image each."""
    folder = parent / "my data"
    more = [(f"images/{n}.jpg", "sadness", "", *[""] * 6, f"s{n}") for n in range(count)]
    write_images(folder, [*ROWS, *more])
    write_table(folder, HEADER, [*ROWS, *more])
    return folder


def write_given_splits(parent: Path) -> Path:
    """A split column, no subjects; a byte order mark and CRLF, as spreadsheets write them."""
    folder = parent / "mine"
    splits = ["train", "train", "train", "test", "test", "test"]
    rows = [(*row[:-1], split) for row, split in zip(ROWS, splits, strict=True)]
    write_images(folder, rows)
    write_table(folder, (*HEADER[:-1], "split"), rows, encoding="utf-8-sig")
    return folder


def write_images_only(parent: Path) -> Path:
    """Neither splits nor subjects."""
    folder = parent / "plain"
    rows = [(f"{n}.jpg", "ab"[n % 2]) for n in range(20)]
    write_images(folder, rows)
    write_table(folder, ("path", "class:letter"), rows)
    return folder


LAYOUTS = {
    # 18 images: shares 12.6, 2.7, 2.7 as near as whole subjects allow.
    "subjects": Layout(write_subjects, {"train": 12, "validation": 3, "test": 3}, "faces"),
    "given splits": Layout(write_given_splits, {"train": 3, "test": 3}, "given"),
    # 20 images: 70%, 15% and 15%.
    "images": Layout(write_images_only, {"train": 14, "validation": 3, "test": 3}, "plain-1"),
}
