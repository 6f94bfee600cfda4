"""Writes a tiny CK+: sequences of four frames, and a label file each."""

from pathlib import Path

import cv2
import numpy as np

from tests.datasets.fakes import Layout

# Person, sequence -> id of the expression.
SEQUENCES = {
    ("S005", "001"): 3,
    ("S010", "002"): 7,
    ("S895", "001"): 2,
    ("S895", "004"): 5,
}
FRAMES = 4


def frame(root: Path, person: str, name: str, number: int) -> Path:
    return root / "cohn-kanade-images" / person / name / f"{person}_{name}_{number:08d}.png"


def write_label(root: Path, person: str, name: str, text: str, last: int = FRAMES) -> Path:
    path = root / "Emotion" / person / name / f"{person}_{name}_{last:08d}_emotion.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def write_frames(root: Path, person: str, name: str, count: int = FRAMES) -> None:
    for number in range(1, count + 1):
        path = frame(root, person, name, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        seed = int(person[1:]) * 1000 + int(name) * 100 + number
        noise = np.random.default_rng(seed).integers(0, 256, (24, 16, 3), dtype=np.uint8)
        cv2.imwrite(str(path), noise)


def write(parent: Path) -> Path:
    root = parent / "CK+"
    for (person, name), label in SEQUENCES.items():
        write_frames(root, person, name)
        write_label(root, person, name, f"   {label}.0000000e+00\n")
    # A sequence without an expression has a folder for its label, and nothing in it.
    (root / "Emotion" / "S005" / "002").mkdir()
    write_frames(root, "S005", "002")
    return parent


# S895 has two sequences, S005 and S010 one each.
LAYOUTS = {"frames": Layout(write, {"train": 8, "validation": 4, "test": 4})}
