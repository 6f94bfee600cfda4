"""Overlaps, suppression and crops against NumPy and SciPy."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from mtl_dm.models.backbones._anchors import framed_boxes
from mtl_dm.models.backbones._proposals import best_boxes, crops_of, overlaps

BOXES = framed_boxes(70, 70, 8)


def overlap(one, other):
    """By counting pixels."""
    pixels = [{(y, x) for y in range(a, c) for x in range(b, d)} for a, b, c, d in (one, other)]
    return len(pixels[0] & pixels[1]) / len(pixels[0] | pixels[1])


def suppressed(scores, boxes, count, threshold):
    """Greedy suppression by sorting, as it is usually written."""
    order, kept = list(np.argsort(-scores, kind="stable")), []
    while order and len(kept) < count:
        best = order.pop(0)
        kept.append(best)
        order = [each for each in order if overlap(boxes[best], boxes[each]) < threshold]
    return kept


def test_overlaps():
    boxes = np.array([[0, 0, 4, 4], [2, 1, 6, 5], [4, 0, 8, 4], [1, 1, 3, 3], [9, 9, 12, 10]])
    for box in boxes:
        want = [overlap(box, other) for other in boxes]
        got = overlaps(box[None].astype(np.float32), boxes.astype(np.float32))
        np.testing.assert_allclose(got, want, rtol=1e-6)


def test_suppression_keeps_what_sorting_keeps():
    boxes = BOXES[::9]
    scores = np.random.default_rng(0).normal(size=(3, len(boxes))).astype(np.float32)
    scores[2] = scores[2].round()  # Many are equal: the first counts.
    got = np.asarray(best_boxes(scores, boxes, 6, 0.25))
    for row in range(3):
        assert got[row].tolist() == suppressed(scores[row], boxes, 6, 0.25)


def test_where_all_overlap_the_best_of_the_others_follow():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 10, 10], [0, 0, 9, 10], [0, 0, 10, 9]])
    scores = np.array([[0.0, 3.0, -1.0, 2.0]], np.float32)
    assert np.asarray(best_boxes(scores, boxes, 3, 0.25)).tolist() == [[1, 3, 0]]
    far = np.concatenate([boxes, [[50, 50, 60, 60]]])
    scores = np.append(scores, [[-9.0]], axis=1).astype(np.float32)
    assert np.asarray(best_boxes(scores, far, 3, 0.25)).tolist() == [[1, 4, 3]]


@pytest.mark.parametrize("shape", [(280, 280), (12, 20)])
def test_crops_are_those_of_the_framed_image(shape):
    frame = 224 if shape[0] == 280 else 8
    images = np.random.default_rng(1).uniform(-1, 1, (2, *shape, 1)).astype(np.float32)
    framed = np.pad(images[..., 0], ((0, 0), (frame, frame), (frame, frame)))
    if frame == 224:
        boxes = framed_boxes(280, 280, 32)
        boxes = boxes[[[0, 400, boxes[:, 2].argmax()], [3, 5, boxes[:, 3].argmax()]]]
        assert boxes[0, 2, 2] == boxes[1, 2, 3] == 728
    else:
        boxes = np.array([[[0, 0, 28, 36], [8, 8, 20, 28]], [[7, 7, 9, 9], [20, 1, 28, 36]]])
    side = 9
    got = np.asarray(crops_of(images, boxes, side, frame))
    assert got.shape == (2, boxes.shape[1], side, side, 1)
    for image in range(2):
        for part, (top, left, bottom, right) in enumerate(boxes[image]):
            # What there is of a slice in NumPy, too, ends with the image.
            region = framed[image, top:bottom, left:right]
            ends = [np.linspace(0, length - 1, side) for length in region.shape]
            want = map_coordinates(region, np.meshgrid(*ends, indexing="ij"), order=1)
            np.testing.assert_allclose(got[image, part, ..., 0], want, atol=2e-4)
