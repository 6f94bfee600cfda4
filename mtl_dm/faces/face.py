"""A face that a detector found."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[Any]
"""uint8 [height, width, 3], red first; pixel centres have whole-numbered coordinates (x, y)."""

Points = npt.NDArray[Any]
"""float64 [N, 2], (x, y) in pixels."""

Box = tuple[float, float, float, float]
"""left, top, right, bottom in pixels."""

LANDMARKS = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
"""In the order of every landmark array; left and right as seen in the image, once it is turned so
that the face is upright."""

QUARTER_TURN = np.array([[0.0, -1.0], [1.0, 0.0]])
"""Takes (x, y) to (-y, x): clockwise, as y points down."""


@dataclasses.dataclass(frozen=True, eq=False)
class Face:
    """Where a face is.

    Args:
        box: Its bounding box; may reach beyond the image.
        landmarks: Points [5, 2] in the order of `LANDMARKS`.
        score: The detector's confidence in [0, 1].
        settled: Whether close-ups agree on the landmarks; see `refine`.
    """

    box: Box
    landmarks: Points
    score: float
    settled: bool = False

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the box."""
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2

    def magnified(self, scale: int) -> Face:
        """Return the face in an image of so many times the size.

        The centre of the first pixel lies in the middle of the `scale` x `scale` pixels it becomes.
        """
        if scale == 1:
            return self
        moved = (scale - 1) / 2
        left, top, right, bottom = (side * scale + moved for side in self.box)
        points = self.landmarks * scale + moved
        return dataclasses.replace(self, box=(left, top, right, bottom), landmarks=points)

    @property
    def plausible(self) -> bool:
        """Whether the landmarks lie as in a face that is upright after some quarter turns.

        Eyes above the mouth, left ones left of right ones, all inside the box.
        """
        left, top, right, bottom = self.box
        (eye_1, eye_2, _, mouth_1, mouth_2) = _turn_upright(self.landmarks)
        upright = max(eye_1[1], eye_2[1]) < min(mouth_1[1], mouth_2[1])
        ordered = eye_1[0] < eye_2[0] and mouth_1[0] < mouth_2[0]
        inside = np.all((self.landmarks >= (left, top)) & (self.landmarks <= (right, bottom)))
        return bool(upright and ordered and inside)


def _turn_upright(landmarks: Points) -> Points:
    """Return the landmarks after the quarter turns that bring the mouth below the eyes."""
    x, y = landmarks[3:].mean(axis=0) - landmarks[:2].mean(axis=0)
    turns = round(np.arctan2(x, y) / (np.pi / 2))
    return landmarks @ np.linalg.matrix_power(QUARTER_TURN, turns % 4).T
