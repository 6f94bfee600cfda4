"""The test images as data sets that `python -m mtl_dm.evaluate` takes: aligned faces of 112 px."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from data_prep.build import build, is_built
from experiments.pretraining.shipping import framed
from experiments.problems.facial_movements import MOVEMENTS, TASK, binary, measured
from experiments.problems.lfw_split import split_by_person
from experiments.problems.real_faces_data import Faces
from mtl_dm import datasets
from mtl_dm.datasets.csv_folder import CsvFolder
from mtl_dm.datasets.csv_folder._schema import TABLE
from mtl_dm.tasks import EXPRESSIONS

PUBLIC_TEST, LFW_PEOPLE = "fer2013_public_test", "lfw_unseen_people"
"""Names of the data sets, csv_folder/NAME."""
SPLIT = "test"
QUALITY = 100


def write_public_test(faces: Faces, least: np.ndarray, folder: Path) -> None:
    """Write FER2013's PublicTest, each image where `AlignedGrey` cuts it out again.

    Args:
        faces: The images.
        least: Thresholds of the movements.
        folder: To write to.
    """
    (folder / "images").mkdir(parents=True, exist_ok=True)
    rows = []
    movements = binary(faces.scores, least)
    for place, image in enumerate(faces.images):
        path = f"images/{place:05}.jpg"
        # Of this quality a JPEG is within a grey level or two; it is copied as it is.
        Image.fromarray(framed(image[None])[0]).save(folder / path, quality=QUALITY)
        rows.append(_row(path, int(faces.expression[place]), movements[place]))
    _write(folder / TABLE, rows)


def write_lfw(root: Path, least: np.ndarray, folder: Path) -> None:
    """Write the images of LFW's test people, in colour, as they are.

    Args:
        root: `lfw_expressions`, with images, labels.csv and pairs.txt.
        least: Thresholds of the movements.
        folder: To write to.
    """
    with (root / "labels.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    pairs = (root / "pairs.txt").read_text(encoding="utf-8")
    side = split_by_person([line["identity"] for line in lines], pairs)
    rows = []
    for line in (lines[place] for place in np.flatnonzero(side == SPLIT)):
        target = folder / line["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / line["path"], target)
        name = line["expression"]
        known = EXPRESSIONS.index(name) if name in EXPRESSIONS else -1
        movements = binary(np.array([measured(line)]), least)[0]
        rows.append(_row(line["path"], known, movements))
    _write(folder / TABLE, rows)


def built(name: str, source: Path, data_dir: Path) -> str:
    """Return the full name of a test set, which is built where it is not there.

    Raises:
        ValueError: If one of that name was built from another table.
    """
    full = f"{CsvFolder.name}/{name}"
    builder = datasets.make_builder(full, data_dir, source)
    if not is_built(builder):
        build(builder, source, data_dir)
    elif builder.changed(source):
        raise ValueError(f"{builder.data_dir} was built from other photos: delete it first.")
    return f"{full}:{SPLIT}"


def _row(path: str, expression: int, movements: np.ndarray) -> dict[str, Any]:
    return {
        "path": path,
        "split": SPLIT,
        "class:expression": EXPRESSIONS[expression] if expression >= 0 else "",
        **{
            f"attribute:{TASK.name}:{name}": "" if value < 0 else int(value)
            for name, value in zip(MOVEMENTS, movements, strict=True)
        },
    }


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    # Whoever is labelled for nothing would be skipped, and said.
    labelled = [row for row in rows if any(_labels(row))]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(labelled[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(labelled)


def _labels(row: Mapping[str, Any]) -> Iterator[bool]:
    return (value != "" for name, value in row.items() if ":" in name)
