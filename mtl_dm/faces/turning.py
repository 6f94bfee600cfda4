"""Faces of a photo however it lies: where none shows upright, its quarter turns are looked at."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from mtl_dm.faces.detection import MIN_SCORE, SIDES, Engine, detect, refine
from mtl_dm.faces.face import QUARTER_TURN, Face, Image
from mtl_dm.faces.geometry import move

Pick = Callable[[list[Face]], list[Face]]
"""Takes the faces found to those that are wanted."""


def find(
    image: Image,
    engine: Engine,
    sides: Sequence[int] = SIDES,
    min_score: float = MIN_SCORE,
    pick: Pick = list,
) -> tuple[list[Face], int]:
    """Return the wanted faces with landmarks from close-ups, and how many faces there are.

    In a photo that lies on its side or head, detectors miss most faces and misplace the landmarks
    of others. So where no wanted face is `settled`, the three quarter turns of the image are
    looked at too. A turn is taken if it shows a face that scores more than any upright one and a
    wanted face that settles; of several turns, the one that scores most. The faces of one photo
    are taken to lie the same way: beside an upright one that settles, no other way is tried.

    An upright face settles and costs nothing more; an image without a face costs four times as
    much. The turns are looked at on all sides too: small faces vanish on a small one, and a face
    that fills the picture on a large one.

    Args:
        image: uint8 [height, width, 3], red first.
        engine: The detector.
        sides: Long sides to shrink to, as `detect` takes them.
        min_score: What a face must score.
        pick: Which of the faces are wanted, in the order of the result; all by default.

    Raises:
        ValueError: If the image is not of that type and shape, or `sides` is empty.
    """
    found = detect(image, engine, sides, min_score)
    upright = [refine(image, face, engine) for face in pick(found)]
    if any(face.settled for face in upright):
        return upright, len(found)
    least = found[0].score if found else 0.0
    looks = [detect_turned(image, turns, engine, sides, min_score) for turns in (1, 2, 3)]
    better = [look for look in looks if look and look[0].score > least]
    for look in sorted(better, key=lambda look: -look[0].score):
        wanted = [refine(image, face, engine) for face in pick(look)]
        if any(face.settled for face in wanted):
            return wanted, len(look)
    return upright, len(found)


def detect_turned(
    image: Image, turns: int, engine: Engine, sides: Sequence[int], min_score: float
) -> list[Face]:
    """Return the faces that the image shows when it is turned, in coordinates of the image.

    Args:
        image: uint8 [height, width, 3], red first.
        turns: Number of quarter turns, anticlockwise.
        engine: The detector.
        sides: Long sides to shrink to, as `detect` takes them.
        min_score: What a face must score.

    Raises:
        ValueError: If the image is not of that type and shape, or `sides` is empty.
    """
    turned = np.ascontiguousarray(np.rot90(image, turns))
    height, width = image.shape[:2]
    return [
        _turn_back(face, turns, width, height) for face in detect(turned, engine, sides, min_score)
    ]


def _turn_back(face: Face, turns: int, width: int, height: int) -> Face:
    linear = np.linalg.matrix_power(QUARTER_TURN, turns)  # about the centres of both images
    centre = np.array([width - 1, height - 1]) / 2
    before = centre[::-1] if turns % 2 else centre
    back = np.column_stack([linear, centre - linear @ before])
    (left, top), (right, bottom) = move(back, np.reshape(face.box, (2, 2))).tolist()
    box = min(left, right), min(top, bottom), max(left, right), max(top, bottom)
    landmarks = move(back, face.landmarks)
    return dataclasses.replace(face, box=box, landmarks=landmarks)
