"""From the outputs of a single-shot face detector to faces; pure functions.

RetinaFace as in biubug6/Pytorch_Retinaface: three feature maps with strides 8, 16 and 32, two
square anchors at each position, offsets in units of the anchor times a variance.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from mtl_dm.faces.face import Face

Array = npt.NDArray[Any]

ANCHORS = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
"""(stride, sides of the anchors) of the feature maps, in pixels."""

LARGEST_STRIDE = 32
_CENTRE_VARIANCE, _SIZE_VARIANCE = 0.1, 0.2
_MAX_OVERLAP = 0.4


@functools.lru_cache(maxsize=16)
def anchors(height: int, width: int) -> Array:
    """Return the anchors [A, 3] as (centre x, centre y, side) in the network's order.

    Args:
        height: Of the network's input, a multiple of 32.
        width: Likewise.
    """
    maps = []
    for stride, sides in ANCHORS:
        y, x = np.mgrid[: height // stride, : width // stride]
        centres = (np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * stride
        side = np.tile(sides, len(centres))
        maps.append(np.column_stack([np.repeat(centres, len(sides), axis=0), side]))
    return np.concatenate(maps)


def decode(
    offsets: Array, scores: Array, landmarks: Array, grid: Array, min_score: float
) -> list[Face]:
    """Return the faces in a network's output, best first, overlapping ones merged.

    Args:
        offsets: [A, 4], of centre and of log size.
        scores: [A], probability of a face.
        landmarks: [A, 10].
        grid: The anchors [A, 3].
        min_score: What a face must score.
    """
    rows = np.flatnonzero(scores >= min_score)
    rows = rows[np.argsort(-scores[rows], kind="stable")]
    centre, side = grid[rows, :2], grid[rows, 2:]
    middle = centre + side * offsets[rows, :2] * _CENTRE_VARIANCE
    half = side * np.exp(offsets[rows, 2:] * _SIZE_VARIANCE) / 2
    boxes = np.column_stack([middle - half, middle + half])
    steps = landmarks[rows].reshape(-1, 5, 2) * _CENTRE_VARIANCE
    points = centre[:, None] + side[:, None] * steps
    # Decoded coordinates have pixel edges at whole numbers; Face has pixel centres there.
    return [
        Face(
            tuple((boxes[row] - 0.5).tolist()),
            points[row].astype(np.float64) - 0.5,
            float(scores[rows[row]]),
        )
        for row in separate(boxes)
    ]


def separate(boxes: Array, max_overlap: float = _MAX_OVERLAP) -> list[int]:
    """Return the rows of boxes [N, 4], best first, that do not repeat a better one.

    Non-maximum suppression: a box goes when it covers a kept one by more than `max_overlap`,
    intersection over union.
    """
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    remaining = np.arange(len(boxes))
    kept = []
    while len(remaining):
        best, rest = remaining[0], remaining[1:]
        kept.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        remaining = rest[shared <= max_overlap * (areas[best] + areas[rest] - shared)]
    return kept
