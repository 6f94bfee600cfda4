"""The images of a folder at the student's size, on disk: an epoch decodes nothing again."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mtl_dm.encoders import ImageFolder
from mtl_dm.files import temporary_prefix


@contextlib.contextmanager
def pictures(images: ImageFolder, side: int, folder: Path) -> Iterator[np.ndarray]:
    """Yield all images, uint8 [R, side, side, 3], mapped from a file that goes with the block.

    Args:
        images: Of which.
        side: Pixels a side.
        folder: For the file.

    Raises:
        OSError: If an image cannot be read or the file not be written.
        ValueError: If an image is none.
    """
    with tempfile.NamedTemporaryFile(dir=folder, prefix=temporary_prefix()) as file:
        shape = (len(images), side, side, 3)
        stored = np.memmap(file.name, np.uint8, "w+", shape=shape)
        for place, name in enumerate(images.names):
            _, image = images.read(name, side)
            stored[place] = np.rint((image + 1.0) * 127.5)
        yield stored


def network_inputs(stored: np.ndarray) -> np.ndarray:
    """Return stored images as networks see them: float32 in [-1, 1]."""
    return stored.astype(np.float32) / 127.5 - 1.0
