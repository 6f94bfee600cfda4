"""A canvas in face coordinates: x and y in [0, 1] over the frame, y down, midline at x = 0.5."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any

import cv2
import numpy as np

SUPERSAMPLING = 2
_FRACTION_BITS = 4
_FRACTIONS = 1 << _FRACTION_BITS
_CENTRE = np.array([0.5, 0.52])
_HEAD = np.array([0.36, 0.46])
_DEPTH = 0.2

Colour = tuple[float, float, float]


@dataclasses.dataclass(frozen=True)
class Pose:
    """Where the head looks and where it is in the frame.

    Attributes:
        yaw: Turn to the image's right, radians.
        pitch: Turn down, radians.
        roll: Tilt in the image plane, radians.
        scale: Size relative to the frame.
        shift: Displacement (x, y) as a share of the frame.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)

    def matrix(self) -> np.ndarray:
        """Return [3, 2]: rows for x, y and depth, onto the image plane."""
        turn = np.diag([math.cos(self.yaw), math.cos(self.pitch)])
        depth = _DEPTH * np.array([[math.sin(self.yaw), math.sin(self.pitch)]])
        cos, sin = math.cos(self.roll), math.sin(self.roll)
        return np.vstack([turn, depth]) @ np.array([[cos, sin], [-sin, cos]]) * self.scale


@dataclasses.dataclass(frozen=True)
class _Shape:
    points: np.ndarray
    colour: Colour | float
    thickness: int  # 0: filled
    lift: float
    closed: bool


class Canvas:
    """Draws shapes given in face coordinates, seen in a pose.

    Everything is drawn as vectors after the pose, so no image is ever warped. Shapes wait until
    `render`, which places the points of all of them at once: NumPy calls are the larger part of
    the time a face takes.

    Args:
        side: Pixels along a side of what is drawn on.
        pose: The pose of the head.
        pixels: uint8 [side, side, 3] (RGB) or [side, side] (a shading layer), drawn over.
    """

    def __init__(self, side: int, pose: Pose, pixels: np.ndarray) -> None:
        self.side = side
        self._pixels = pixels
        self._matrix = pose.matrix() * side * _FRACTIONS
        self._offset = (_CENTRE + np.array(pose.shift)) * side * _FRACTIONS
        self._shapes: list[_Shape] = []

    def polygon(self, points: np.ndarray, colour: Colour | float, lift: float = 0.0) -> None:
        """Fill the closed polygon [N, 2].

        Args:
            points: Points on the head, taken as lying on an ellipsoid.
            colour: RGB, or the value of a shading layer.
            lift: Height above that ellipsoid (the nose), in units of its depth.
        """
        self._shapes.append(_Shape(points, colour, 0, lift, True))

    def line(
        self,
        points: np.ndarray,
        colour: Colour | float,
        width: float,
        lift: float = 0.0,
        closed: bool = False,
    ) -> None:
        """Draw a line of `width` (a share of the frame) through [N, 2] points."""
        self._shapes.append(_Shape(points, colour, max(1, round(width * self.side)), lift, closed))

    def render(self) -> np.ndarray:
        """Draw the waiting shapes, in order, and return the pixels."""
        shapes, self._shapes = self._shapes, []
        if not shapes:
            return self._pixels
        lengths = [len(shape.points) for shape in shapes]
        lifts = np.repeat([shape.lift for shape in shapes], lengths)
        placed = self._place(np.concatenate([shape.points for shape in shapes]), lifts)
        end = 0
        for shape, length in zip(shapes, lengths, strict=True):
            start, end = end, end + length
            points = [placed[start:end]]
            if shape.thickness:
                cv2.polylines(
                    self._pixels,
                    points,
                    shape.closed,
                    shape.colour,
                    shape.thickness,
                    cv2.LINE_AA,
                    _FRACTION_BITS,
                )
            else:
                cv2.fillPoly(self._pixels, points, shape.colour, cv2.LINE_AA, _FRACTION_BITS)
        return self._pixels

    def _place(self, points: np.ndarray, lifts: np.ndarray) -> np.ndarray:
        """Return [N, 2] fixed-point pixels of [N, 2] face coordinates."""
        seen = np.empty((len(points), 3))
        seen[:, :2] = points - _CENTRE
        relative = seen[:, :2] / _HEAD
        seen[:, 2] = np.maximum(1.0 - np.square(relative).sum(axis=1), 0.0) + lifts
        return (seen @ self._matrix + self._offset).astype(np.int32)


@functools.cache
def _spline(controls: int, count: int, closed: bool) -> np.ndarray:
    """Return [count, controls], the Catmull-Rom curve as a linear map of its control points."""
    spans = controls if closed else controls - 1
    places = np.linspace(0, spans, count, endpoint=not closed)
    starts = np.minimum(places.astype(int), spans - 1)
    t = places - starts
    weights = np.stack(
        [-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2]
    )
    matrix = np.zeros((count, controls))
    for step, weight in zip((-1, 0, 1, 2), weights / 2, strict=True):
        columns = starts + step
        columns = columns % controls if closed else np.clip(columns, 0, controls - 1)
        np.add.at(matrix, (np.arange(count), columns), weight)
    return matrix


def curve(points: np.ndarray, count: int = 12, closed: bool = False) -> np.ndarray:
    """Return `count` points of a smooth curve through the control points [K, 2]."""
    return _spline(len(points), count, closed) @ points


@functools.cache
def _circle(count: int) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def ellipse(x: float, y: float, width: float, height: float, count: int = 16) -> np.ndarray:
    """Return a polygon of the ellipse with the given centre and half axes."""
    return _circle(count) * (width, height) + (x, y)


def shift(points: Any, x: float, y: float) -> np.ndarray:
    """Return [N, 2] points, or one point [2], moved by (x, y)."""
    return np.asarray(points) + np.array([x, y])


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return `first` with `share` of `second` blended in."""
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return red, green, blue
