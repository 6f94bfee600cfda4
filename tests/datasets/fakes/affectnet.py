"""Writes a tiny AffectNet in both released layouts."""

from pathlib import Path

import numpy as np

from tests.datasets.fakes import Layout, write_image

HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,"
    "expression,valence,arousal"
)
LANDMARKS = ";".join(f"{n}.5;{n + 1}.25" for n in range(68))

# Release's id, valence, arousal.
TRAIN = [
    (0, 0.0, 0.0),
    (1, 0.784, -0.055),
    (2, -0.65, -0.2),
    (3, 0.2, 0.8),
    (4, -0.3, 0.7),
    (5, -0.6, 0.3),
    (6, -0.5, 0.6),
    (1, -2, -2),
]
VALIDATION = [(6, -0.4, 0.5), (0, -0.1, 0.1), (3, 0.1, 0.9)]


def line(path, labels, box=(2, 3, 10, 12)):
    return ",".join(map(str, (path, *box, LANDMARKS, *labels)))


def write_table(path: Path, lines, header=True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([HEADER] * header + list(lines)) + "\n")
    return path


def _lists(root: Path, half: str, tables, lists="file_lists", header=()) -> None:
    seed = 0
    for name, rows in tables.items():
        lines = []
        for number, labels in enumerate(rows):
            seed += 1
            path = f"{number % 3 + 1}/{name}{number:04x}.jpg"
            write_image(root / f"{half}_Images" / path, seed)
            lines.append(line(path, labels))
        write_table(root / f"{half}_{lists}" / f"{name}.csv", lines, name in header)


def write_2017(parent: Path) -> Path:
    """Both tables with a header."""
    root = parent / "AffectNet"
    tables = {"training": TRAIN, "validation": VALIDATION}
    _lists(root, "Manually_Annotated", tables, header=("training", "validation"))
    return root


def write_2017_nested(parent: Path) -> Path:
    """Everything one folder deeper, and a validation.csv without a header."""
    root = parent / "data of AffectNet"
    tables = {"training": TRAIN, "validation": VALIDATION}
    nested = root / "Manually_Annotated"
    _lists(nested, "Manually_Annotated", tables, header=("training",))
    return root


def write_automatic(parent: Path) -> Path:
    root = parent / "auto"
    tables = {"automatically_annotated": TRAIN}
    _lists(root, "Automatically_Annotated", tables, header=tables)
    return root


def write_annotation(folder: Path, number: int, expression, valence, arousal) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{number}_exp.npy", expression)
    np.save(folder / f"{number}_val.npy", valence)
    np.save(folder / f"{number}_aro.npy", arousal)
    np.save(folder / f"{number}_lnd.npy", np.zeros(136))


def write_2021(parent: Path) -> Path:
    """Training labels as text, validation labels as numbers."""
    root = parent / "AffectNet 2021"
    for number, labels in enumerate(TRAIN):
        write_image(root / "train_set/images" / f"{number}.jpg", number)
        write_annotation(root / "train_set/annotations", number, *map(str, labels))
    for number, labels in enumerate(VALIDATION, start=100):
        write_image(root / "val_set/images" / f"{number}.jpg", number)
        write_annotation(root / "val_set/annotations", number, *labels)
    return root


COUNTS = {"train": 8, "validation": 3}

LAYOUTS = {
    "2017": Layout(write_2017, COUNTS, "manual"),
    "2017 nested": Layout(write_2017_nested, COUNTS, "manual"),
    "2017 faces": Layout(write_2017, COUNTS, "manual_faces"),
    "automatic": Layout(write_automatic, {"train": 8}, "automatic"),
    "2021": Layout(write_2021, COUNTS, "manual"),
}
