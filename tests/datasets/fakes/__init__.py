"""Tiny files in the released formats, one module a database, named as its builder.

Each module has `LAYOUTS`: name of a release -> `Layout`. The contract suite
(tests/contracts/test_datasets.py) builds every one of them.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np


class Layout(NamedTuple):
    """One release in miniature.

    Attributes:
        write: Writes the files under a folder and returns what `--source` would be. No row is bad
            or skipped, every split has at least three usable images, and no image lacks a row.
        splits: Split -> number of examples.
        config: Name of the configuration to build; empty: the builder has none.
        labels_in_files: Whether label files name the images. False: the folders are the labels,
            so that a missing image is nowhere missed.
    """

    write: Callable[[Path], Path]
    splits: dict[str, int]
    config: str = ""
    labels_in_files: bool = True


def layouts(builder: str) -> dict[str, Layout]:
    """The layouts of a builder; ModuleNotFoundError where it has no fakes."""
    return importlib.import_module(f"tests.datasets.fakes.{builder}").LAYOUTS


def jpeg(seed: int, height: int = 24, width: int = 16) -> bytes:
    """A small colour JPEG, different for every seed."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return cv2.imencode(".jpg", noise)[1].tobytes()


def write_image(path: Path, seed: int, height: int = 24, width: int = 16) -> Path:
    """Write a small JPEG, folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg(seed, height, width))
    return path
