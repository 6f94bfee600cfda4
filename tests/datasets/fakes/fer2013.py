"""Writes a tiny FER2013 as folders of images."""

from pathlib import Path

import cv2
import numpy as np

from tests.datasets.fakes import Layout

CLASSES = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")


def grey(seed: int, side: int = 48) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)
    return cv2.imencode(".jpg", noise)[1].tobytes()


def write_fer2013(parent: Path, splits=("Training", "PublicTest"), per_class: int = 1) -> Path:
    folder = parent / "fer2013"
    number = 0
    for split in splits:
        for name in CLASSES:
            (folder / split / name).mkdir(parents=True)
            for _ in range(per_class):
                number += 1
                path = folder / split / name / f"{split}_{10_000_000 + number}.jpg"
                path.write_bytes(grey(number))
    return folder


ALL = ("Training", "PublicTest", "PrivateTest")

LAYOUTS = {
    "all folders": Layout(
        lambda parent: write_fer2013(parent, ALL, per_class=2),
        {"train": 14, "validation": 14, "test": 14},
        labels_in_files=False,
    ),
    "no private test": Layout(write_fer2013, {"train": 7, "validation": 7}, labels_in_files=False),
}
