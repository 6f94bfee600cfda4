"""Finding faces: a look at the shrunk image, then closer looks at each face set upright."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from mtl_dm.faces.face import Face, Image, Points
from mtl_dm.faces.geometry import SIZE, inverse, move, rescale, similarity, template, warp

SIDES = (320, 640)
"""Long sides, in pixels, at which one face is looked for: the second where the first finds none."""

SMALLEST = 160
"""Images below this long side are enlarged to it: a face that fills 48 pixels is found in half of
FER2013 as it is, and in nearly all of it enlarged."""

MIN_SCORE = 0.6

CLOSE_UP = 160
LOOKS = 3
# A close-up is there to see a face that is known; the score of its detection counted already.
_MIN_SCORE_CLOSE_UP = 0.3
# Mean distance in a close-up beyond which it shows somebody else; the eyes are 35 apart.
_MAX_DISTANCE = 25.0
# Mean distance by which the last close-up may still correct the one before. In 917 photos of the
# Clothing Attribute Dataset the best face stays below in 915; of 240 faces found at a wrong place
# in the same photos on their side or head, 31 do.
_MAX_LAST_STEP = 7.0


class Engine(Protocol):
    """Finds the faces of an image; all that this package wants from a detector."""

    def __call__(self, image: Image, min_score: float) -> list[Face]:
        """Return the faces that score at least `min_score`, best first.

        The engine does not scale the image: the caller has chosen its size.
        """


def detect(
    image: Image,
    engine: Engine,
    sides: Sequence[int] = SIDES,
    min_score: float = MIN_SCORE,
) -> list[Face]:
    """Return the faces in an image, best score first, in its coordinates.

    Args:
        image: uint8 [height, width, 3], red first.
        engine: The detector.
        sides: Long sides to shrink to, tried until one shows a face. Small ones are fast and miss
            small faces. No image is enlarged beyond `SMALLEST`.
        min_score: What a face must score.

    Raises:
        ValueError: If the image is not of that type and shape, or `sides` is empty.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise ValueError(
            f"image must be uint8 [height, width, 3], not {image.dtype} {image.shape}."
        )
    if not sides or min(sides) < 1:
        raise ValueError(f"sides must be one or more positive numbers, not {tuple(sides)}.")
    largest = max(*image.shape[:2], SMALLEST)
    # Sides beyond the image's own would be the same look again.
    for side in dict.fromkeys(min(side, largest) for side in sides):
        resized, scales = rescale(image, side)
        found = engine(resized, min_score)
        if found:
            return [_scale_back(face, scales) for face in found]
    return []


def refine(image: Image, face: Face, engine: Engine, looks: int = LOOKS) -> Face:
    """Return the face with landmarks from close-ups.

    A detector's landmarks depend on the size and turn of the face in its input. Each look shows
    it the face as the last look's landmarks align it, on 160 x 160 pixels, so that the landmarks
    approach what it says about an upright face of one size. The last two looks are averaged:
    the approach may alternate. The face is `settled` if all looks show it and the last one hardly
    moves the landmarks.

    Args:
        image: The image that the face was found in.
        face: What `detect` found.
        engine: The detector.
        looks: Number of close-ups; 0 leaves the face as it is.
    """
    target = template(SIZE) + (CLOSE_UP - SIZE) / 2
    seen: list[Points] = [face.landmarks]
    settled = False
    for _ in range(looks):
        transform = similarity(seen[-1], target)
        close_up = engine(warp(image, transform, CLOSE_UP), _MIN_SCORE_CLOSE_UP)
        distances = [_distance(found.landmarks, target) for found in close_up]
        if not distances or min(distances) > _MAX_DISTANCE:
            settled = False
            break
        settled = min(distances) <= _MAX_LAST_STEP
        landmarks = close_up[int(np.argmin(distances))].landmarks
        seen.append(move(inverse(transform), landmarks))
    # The first entry is the look from afar, which a close-up replaces.
    landmarks = np.mean((seen[1:] or seen)[-2:], axis=0)
    return dataclasses.replace(face, landmarks=landmarks, settled=settled)


def _distance(one: Points, other: Points) -> float:
    return float(np.mean(np.linalg.norm(one - other, axis=1)))


def _scale_back(face: Face, scales: Points) -> Face:
    # Pixel centres are at whole numbers, so the image starts at -0.5.
    corners = (np.reshape(face.box, (2, 2)) + 0.5) / scales - 0.5
    left, top, right, bottom = map(float, corners.ravel())
    landmarks = (face.landmarks + 0.5) / scales - 0.5
    return Face((left, top, right, bottom), landmarks, face.score)
