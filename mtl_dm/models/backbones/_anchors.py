"""The regions that NTS-Net may choose from: boxes around the places of three maps.

Source: Yang et al. 2018, after the authors' code. Maps of strides 32, 64 and 128
pixels have boxes of 48, 96 and 192 pixels times a scale, in three shapes. Everything is a multiple
of the first stride here, so that a network with another one sees the same geometry at its own size.
A box is (top, left, bottom, right), in pixels; top and left are in it, bottom and right are not.

Shapes: A boxes, in the order of the maps' scores: map, row, column, scale, shape.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Level(NamedTuple):
    """The boxes of one map.

    Attributes:
        stride: Of the map, in strides of the first one.
        size: Side of a square box, likewise.
        scales: Factors on it.
    """

    stride: int
    size: float
    scales: tuple[float, ...]


LEVELS = (
    Level(1, 1.5, (2 ** (1 / 3), 2 ** (2 / 3))),
    Level(2, 3.0, (2 ** (1 / 3), 2 ** (2 / 3))),
    Level(4, 6.0, (1.0, 2 ** (1 / 3), 2 ** (2 / 3))),
)
SHAPES = (0.667, 1.0, 1.5)
"""Width over height of a box, at the same area."""
FRAME = 7
"""Strides of zeros around the image, into which boxes may reach: 224 pixels of a stride of 32."""


def anchors_a_place(level: Level) -> int:
    """Return the boxes around each place of a map."""
    return len(level.scales) * len(SHAPES)


def frame_of(stride: int) -> int:
    """Return the pixels of zeros on every side of an image."""
    return FRAME * stride


def anchor_boxes(height: int, width: int, stride: int) -> np.ndarray:
    """Return the boxes of an image, from its upper left corner, as they are before rounding.

    Args:
        height: Of the image, in pixels.
        width: Likewise.
        stride: Of the first map, in pixels.

    Returns:
        [A, 4] float64.
    """
    return np.concatenate([_boxes(height, width, stride, level) for level in LEVELS])


def _boxes(height: int, width: int, stride: int, level: Level) -> np.ndarray:
    step = stride * level.stride
    rows, columns = ((np.arange(-(-side // step)) + 0.5) * step for side in (height, width))
    scales, shapes = np.array(level.scales)[:, None], np.sqrt(SHAPES)
    sides = stride * level.size * np.stack([scales / shapes, scales * shapes], axis=-1)
    centres = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
    centres = centres[:, :, None, None]
    edges = np.concatenate([centres - sides / 2, centres + sides / 2], axis=-1)
    return edges.reshape(-1, 4)


def framed_boxes(height: int, width: int, stride: int) -> np.ndarray:
    """Return the boxes in the framed image, in whole pixels and within it.

    The authors round down after adding the frame. At 280 pixels the largest box would end at 730.6
    of 728 pixels; PyTorch cuts such a crop short without a word, and so it is cut here.

    Args:
        height: Of the image without its frame, in pixels.
        width: Likewise.
        stride: Of the first map, in pixels.

    Returns:
        [A, 4] int32.
    """
    frame = frame_of(stride)
    boxes = np.trunc(anchor_boxes(height, width, stride) + frame)
    limits = np.array([height, width, height, width]) + 2 * frame
    return np.clip(boxes, 0, limits).astype(np.int32)
