"""Writes a tiny ABAW4 LSD as folders of images."""

import functools
from pathlib import Path

from tests.datasets.fakes import Layout, write_image

TRAIN = "training_set_synthetic_images"
VALIDATION = "validation_set_real_images"
OTHERS = ("DISGUST", "FEAR", "HAPPINESS", "SADNESS", "SURPRISE")


def write(parent: Path, sets=(TRAIN, VALIDATION), anger="ANGRER") -> Path:
    """Two training images a class, one for validation; names of the two sets differ."""
    folder = parent / "ABAW4_LSD"
    number = 0
    for name in sets:
        for label in (anger, *OTHERS):
            for _ in range(2 if name == TRAIN else 1):
                number += 1
                write_image(folder / name / label / f"{number}.jpg", number)
    return folder


LAYOUTS = {
    "released": Layout(
        lambda parent: write(parent).parent,
        {"train": 12, "validation": 6},
        labels_in_files=False,
    ),
    "anger corrected": Layout(
        functools.partial(write, sets=(TRAIN,), anger="ANGER"), {"train": 12}, labels_in_files=False
    ),
}
