"""The faces of an image, aligned as the training images are."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cv2

from mtl_dm import faces

SIDES = (1024, 320)
"""Long sides at which faces are looked for. The large one first, since all faces are wanted and
small ones vanish in a small image; where it shows none, a face may fill the picture."""


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """A face of an image.

    Args:
        face: Where it is.
        crop: uint8 [size, size, 3], aligned.
    """

    face: faces.Face
    crop: faces.Image

    def magnified(self, scale: int) -> Found:
        """Return the face where it is in a photo of so many times the size."""
        return Found(self.face.magnified(scale), self.crop)


def crop_size(input_size: int) -> int:
    """Return the side at which faces are aligned: 112 as `data_prep.align` does, or the input's.

    Smaller inputs see the 112 x 112 face shrunk, as they do in training.
    """
    return max(faces.SIZE, input_size)


def find(
    image: faces.Image,
    engine: faces.Engine,
    size: int,
    sides: Sequence[int] = SIDES,
    min_score: float = faces.MIN_SCORE,
) -> tuple[list[Found], str | None]:
    """Return the faces of an image, best score first, and the reason if there are none.

    Args:
        image: uint8 [height, width, 3], red first.
        engine: The detector.
        size: Side of the aligned faces.
        sides: Long sides at which faces are looked for, until one shows any.
        min_score: What a face must score.
    """
    try:
        seen, _ = faces.find(image, engine, sides, min_score)
        found = [Found(face, faces.align(image, face.landmarks, size)) for face in seen]
    except (cv2.error, ValueError, MemoryError) as error:
        # One odd image out of thousands is not the end of the run.
        text = " ".join(str(error).split())
        return [], f"failed: {type(error).__name__} {text}"[:300]
    return found, None if found else "no face"
