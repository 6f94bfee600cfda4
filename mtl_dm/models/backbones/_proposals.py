"""Which boxes NTS-Net looks at: the best ones that do not overlap much.

Shapes: B images, A boxes (top, left, bottom, right), M of them chosen.
"""

from __future__ import annotations

from typing import Any

from keras import ops


def overlaps(box: Any, boxes: Any) -> Any:
    """Return the area of the intersection over that of the union.

    Args:
        box: [..., 1, 4].
        boxes: [..., A, 4].

    Returns:
        [..., A] in [0, 1].
    """
    start = ops.maximum(box[..., :2], boxes[..., :2])
    end = ops.minimum(box[..., 2:], boxes[..., 2:])
    common = ops.prod(ops.maximum(end - start, 0.0), axis=-1)
    return common / (_areas(box) + _areas(boxes) - common)


def _areas(boxes: Any) -> Any:
    return ops.prod(boxes[..., 2:] - boxes[..., :2], axis=-1)


def best_boxes(scores: Any, boxes: Any, count: int, threshold: float) -> Any:
    """Return the boxes that greedy non-maximum suppression keeps, the best first.

    Of boxes with the same score the first is taken. Where fewer than `count` overlap little enough,
    which the authors' code does not foresee, the best of the others follow.

    Args:
        scores: [B, A] float32.
        boxes: [A, 4].
        count: M, at most A.
        threshold: Boxes that overlap a chosen one as much as this or more are passed over.

    Returns:
        [B, M] int32, places among the boxes.
    """
    boxes = ops.cast(boxes, "float32")
    free, taken = ops.ones_like(scores, dtype="bool"), ops.zeros_like(scores, dtype="bool")
    chosen = []
    for _ in range(count):
        any_free = ops.any(free, axis=1, keepdims=True)
        open_to = ops.where(any_free, free, ops.logical_not(taken))
        best = ops.argmax(ops.where(open_to, scores, -float("inf")), axis=1)
        chosen.append(ops.cast(best, "int32"))
        taken = ops.logical_or(taken, ops.one_hot(best, scores.shape[1], dtype="bool"))
        near = overlaps(ops.take(boxes, best, axis=0)[:, None], boxes[None]) >= threshold
        free = ops.logical_and(free, ops.logical_not(near))
    return ops.stack(chosen, axis=1)


def crops_of(images: Any, boxes: Any, side: int, frame: int) -> Any:
    """Return regions of images, each resized to a square; beyond the image there are zeros.

    Bilinear between the centres of a region's outer pixels (the authors' align_corners). As boxes
    have upright sides this is a product with one matrix a side, of rows and of columns: nothing is
    looked up, so that it runs alike on every backend.

    Args:
        images: [B, H, W, C] without their frame, H and W known.
        boxes: [B, M, 4] in the framed image, whole pixels.
        side: S, of the results.
        frame: Pixels of zeros around the image.

    Returns:
        [B, M, S, S, C] float32.
    """
    images = ops.cast(images, "float32")
    height, width, channels = images.shape[1:]
    count = boxes.shape[1]
    start, end = ops.split(ops.cast(boxes, "float32") - frame, 2, axis=-1)
    rows = _interpolation(start[..., 0], end[..., 0], height, side)
    columns = _interpolation(start[..., 1], end[..., 1], width, side)
    rows = ops.reshape(rows, (-1, count * side, height))
    flat = ops.reshape(images, (-1, height, width * channels))
    x = ops.reshape(ops.matmul(rows, flat), (-1, count, side, width, channels))
    x = ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4)), (-1, count, width, side * channels))
    x = ops.reshape(ops.matmul(columns, x), (-1, count, side, side, channels))
    return ops.transpose(x, (0, 1, 3, 2, 4))


def _interpolation(start: Any, end: Any, length: int, side: int) -> Any:
    """Return how much of each pixel of an axis goes into each pixel of a crop, [B, M, S, length].

    Args:
        start: [B, M], first pixel of the region.
        end: [B, M], first one behind it.
        length: Of the axis.
        side: S >= 2.
    """
    steps = ops.arange(side, dtype="float32") / (side - 1)
    places = start[..., None] + steps * (end - start - 1.0)[..., None]
    pixels = ops.arange(length, dtype="float32")
    return ops.relu(1.0 - ops.abs(places[..., None] - pixels))
