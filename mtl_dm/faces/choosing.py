"""Which of several faces is meant."""

from __future__ import annotations

from collections.abc import Sequence

from mtl_dm.faces.face import Box, Face


def choose(faces: Sequence[Face], width: int, height: int, box: Box | None = None) -> Face | None:
    """Return the face that is meant.

    With an annotated box: among the faces that overlap it, the one whose centre is closest to the
    box's. Without: the one whose centre is closest to the image's. Of two equally close ones, the
    one with the higher score.

    Args:
        faces: What was detected.
        width: Of the image.
        height: Of the image.
        box: The annotated box of the face that the labels speak about.

    Returns:
        None if there is no face, or none overlaps the annotated box: a label must not go to
        another person.
    """
    left, top, right, bottom = box or (0.0, 0.0, float(width), float(height))
    middle = (left + right) / 2, (top + bottom) / 2
    candidates = [face for face in faces if box is None or _overlap(face.box, box)]

    def distance(face: Face) -> tuple[float, float]:
        x, y = face.centre
        return (x - middle[0]) ** 2 + (y - middle[1]) ** 2, -face.score

    return min(candidates, key=distance, default=None)


def _overlap(one: Box, other: Box) -> bool:
    return (
        min(one[2], other[2]) > max(one[0], other[0])
        and min(one[3], other[3]) > max(one[1], other[1])
    )  # fmt: skip
