"""The faces that embeddings are made of, in a fixed order: files below a folder, or an array."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import keras
import numpy as np
import tensorflow as tf

from mtl_dm import data
from mtl_dm.datasets.reading.paths import image_files, require_inside
from mtl_dm.faces.reading import SUFFIXES, decode_image
from mtl_dm.files import printable, require_regular_file


class Images(Protocol):
    """What embeddings are made of, however it is stored.

    Attributes:
        names: Of the images, in order.
    """

    names: Sequence[str]

    def __len__(self) -> int:
        """Return how many there are."""

    def digest(self, name: str) -> str:
        """Return what changes when an image does."""

    def read(self, name: str, side: int) -> tuple[str, np.ndarray]:
        """Return digest and image, float32 [side, side, 3] in [-1, 1]."""


class ImageArray:
    """Images in memory, named by their places.

    Args:
        pixels: uint8 [N, S, S, 3].

    Raises:
        ValueError: If they are no such array, or there is none.
    """

    def __init__(self, pixels: np.ndarray) -> None:
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or not len(pixels):
            raise ValueError(
                f"Images must be uint8 [N, S, S, 3], got {pixels.dtype} {list(pixels.shape)}."
            )
        self._pixels = pixels
        self.names: Sequence[str] = [str(place) for place in range(len(pixels))]

    def __len__(self) -> int:
        return len(self._pixels)

    def digest(self, name: str) -> str:
        """Return what changes when an image's pixels do."""
        return digest_of(self._pixels[int(name)].tobytes())

    def read(self, name: str, side: int) -> tuple[str, np.ndarray]:
        """Return digest and image, float32 [side, side, 3] in [-1, 1]."""
        image = data.network_input(tf.constant(self._pixels[int(name)]), side)
        return self.digest(name), keras.ops.convert_to_numpy(image)


class ImageFolder:
    """Image files, by their paths below a folder.

    Links inside it are followed, hidden files left out; those that lead out of it are refused.

    Args:
        root: Folder of aligned faces, one a file, as data_prep.align writes them.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If there is no image in it, or a file is a link that leads out of it.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        if not self.root.is_dir():
            raise FileNotFoundError(f"There is no folder of images at {printable(self.root)}.")
        self.names: Sequence[str] = sorted(image_files(self.root))
        if not self.names:
            raise ValueError(
                f"There is no image ({', '.join(SUFFIXES)}) in {printable(self.root)}."
            )
        require_inside(self.root, self.names)

    def __len__(self) -> int:
        return len(self.names)

    def digest(self, name: str) -> str:
        """Return what changes when an image's file does."""
        return digest_of(self._bytes(name))

    def read(self, name: str, side: int) -> tuple[str, np.ndarray]:
        """Return digest and image, float32 [side, side, 3] in [-1, 1].

        Raises:
            OSError: If the file cannot be read.
            ValueError: If it holds no whole image.
        """
        content = self._bytes(name)
        try:
            image = data.network_input(decode_image(content), side)
        except ValueError as error:
            raise ValueError(f"{printable(self.root / name)}: {error}.") from error
        return digest_of(content), keras.ops.convert_to_numpy(image)

    def _bytes(self, name: str) -> bytes:
        path = self.root / name
        require_regular_file(path)
        return path.read_bytes()


def digest_of(content: bytes) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of a file's bytes."""
    return hashlib.sha256(content).hexdigest()[:16]
