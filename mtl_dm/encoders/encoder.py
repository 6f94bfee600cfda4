"""One encoder: a network, and how it wants its faces.

Shapes: B images of a batch, S pixels a side, D numbers of an embedding.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mtl_dm.encoders.network import Network
from mtl_dm.files import require_regular_file

COLOURS = ("rgb", "bgr", "grey")
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
"""Of red, green and blue, ITU-R BT.601."""
_CHUNK = 2**20


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """What an encoder was given when it was trained.

    Args:
        colours: Order of the channels, one of `COLOURS`.
        low: What black is.
        high: What white is.

    Raises:
        ValueError: If the order is unknown, or black is not below white.
    """

    colours: str = "rgb"
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if self.colours not in COLOURS:
            raise ValueError(f"colours must be one of {', '.join(COLOURS)}, got {self.colours!r}.")
        if not self.low < self.high:
            raise ValueError(f"low must be below high, got {self.low} and {self.high}.")

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return images as the encoder takes them.

        Args:
            images: float32 [B, S, S, 3] in [-1, 1], red first.

        Returns:
            float32 [B, S, S, 3], or [B, S, S, 1] of grey ones.
        """
        if self.colours == "bgr":
            images = images[..., ::-1]
        elif self.colours == "grey":
            images = images @ _LUMINANCE[:, None]
        scaled = (images + 1.0) * ((self.high - self.low) / 2.0) + self.low
        return np.ascontiguousarray(scaled, np.float32)


@dataclasses.dataclass(frozen=True, eq=False)
class Encoder:
    """A frozen network with all that its use needs.

    Args:
        name: Of the source.
        network: The network.
        side: Of the images that it is given.
        preprocessing: How it is given them.
        fingerprint: Of its files or its weights, its layer and its preprocessing.
        licence: What is known of the terms it may be used on.

    Raises:
        ValueError: If the name is none, or the network takes images of another size or number of
            channels.
    """

    name: str
    network: Network
    side: int
    preprocessing: Preprocessing
    fingerprint: str
    licence: str = "unknown"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w[\w.-]*", self.name):  # It is the name of a folder, too.
            raise ValueError(
                "The name of an encoder must be letters, digits, '_', '-' and '.', got "
                f"{self.name!r}: give name=NAME."
            )
        if self.network.side not in (None, self.side):
            raise ValueError(
                f"The encoder {self.name!r} takes images of {self.network.side} pixels a side, got "
                f"side={self.side}."
            )
        channels = 1 if self.preprocessing.colours == "grey" else 3
        if self.network.channels != channels:
            raise ValueError(
                f"The encoder {self.name!r} takes images of {self.network.channels} channels, "
                f"colours={self.preprocessing.colours} gives {channels}."
            )

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return the embeddings of faces.

        Args:
            images: float32 [B, S, S, 3] in [-1, 1], red first, S the encoder's side.

        Returns:
            float32 [B, D].

        Raises:
            ValueError: If they are of another size, the network cannot be run, or an embedding is
                no finite number.
            MemoryError: If there is too little memory.
        """
        if images.shape[1:] != (self.side, self.side, 3):
            raise ValueError(
                f"The encoder {self.name!r} takes images [B, {self.side}, {self.side}, 3], got "
                f"{list(images.shape)}."
            )
        found = np.asarray(self._run(self.preprocessing(images)), np.float32)
        if found.ndim != 2 or len(found) != len(images):
            raise ValueError(
                f"The encoder {self.name!r} must give one embedding for each image, of "
                f"{len(images)} images it gives {list(found.shape)}."
            )
        wrong = ~np.isfinite(found).all(axis=1)
        if wrong.any():
            raise ValueError(
                f"The encoder {self.name!r} returns NaN or infinity for {int(wrong.sum())} of "
                f"{len(found)} images. Are its range (low, high) and colours right?"
            )
        return found

    def _run(self, images: np.ndarray) -> np.ndarray:
        try:
            return self.network.run(images)
        except (MemoryError, OSError):
            raise
        except Exception as error:
            # Whoever runs the file raises errors of its own, dozens of types.
            if type(error).__name__ == "ResourceExhaustedError":  # TensorFlow's MemoryError.
                raise
            raise ValueError(
                f"The encoder {self.name!r} cannot be run on images {list(images.shape)}: {error}"
            ) from error


def fingerprint_of(files: Iterable[Path], *details: object) -> str:
    """Return what changes when a file or a detail does: a SHA-256 in hexadecimal.

    Args:
        files: Whose bytes count, in their order; where they lie does not.
        *details: What else counts, by its `repr`.

    Raises:
        OSError: If a file cannot be read.
        ValueError: If one is no regular file.
    """
    total = hashlib.sha256(repr(details).encode())
    for path in files:
        require_regular_file(path)
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                total.update(chunk)
    return total.hexdigest()
