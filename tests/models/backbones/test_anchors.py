"""NTS-Net's boxes: as many as the authors', where theirs are, and cut where theirs are cut."""

import math

import numpy as np
import pytest

from mtl_dm.models.backbones._anchors import anchor_boxes, framed_boxes


def looped(side):
    """The boxes of the authors, as a set: strides, sizes, scales and shapes written out."""
    third = 2 ** (1 / 3)
    small = (third, third**2)
    maps = ((32, 48, small), (64, 96, small), (128, 192, (1, *small)))
    for stride, size, scales in maps:
        for row in range(math.ceil(side / stride)):
            for column in range(math.ceil(side / stride)):
                for scale in scales:
                    for shape in (0.667, 1, 1.5):
                        y, x = stride * (row + 0.5), stride * (column + 0.5)
                        height, width = size * scale / shape**0.5, size * scale * shape**0.5
                        yield y - height / 2, x - width / 2, y + height / 2, x + width / 2


@pytest.mark.parametrize(("side", "count"), [(448, 1614), (280, 717), (224, 426), (112, 129)])
def test_as_many_as_the_authors(side, count):
    assert framed_boxes(side, side, 32).shape == (count, 4)


def test_they_are_the_authors():
    np.testing.assert_allclose(anchor_boxes(280, 280, 32), list(looped(280)), rtol=1e-6)


def test_an_image_that_is_no_square():
    boxes = anchor_boxes(64, 128, 32)
    assert len(boxes) == 2 * 4 * 6 + 1 * 2 * 6 + 1 * 1 * 9
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    np.testing.assert_allclose(centres[:48].max(axis=0), [48, 112])


def test_at_280_pixels_the_largest_box_is_cut_at_the_frame():
    before = anchor_boxes(280, 280, 32) + 224
    assert 730.6 < before.max() < 730.7
    boxes = framed_boxes(280, 280, 32)
    assert boxes.max() == 280 + 2 * 224 == 728
    assert boxes.min() >= 0
    inside = before.max(axis=1) <= 728
    np.testing.assert_array_equal(boxes[inside], np.floor(before[inside]))
    assert 0 < np.sum(~inside) < 40
    # At the size of the source nothing is.
    assert framed_boxes(448, 448, 32).max() < 448 + 2 * 224


def test_another_stride_sees_the_same_geometry():
    np.testing.assert_allclose(4 * anchor_boxes(112, 112, 8), anchor_boxes(448, 448, 32))
    assert framed_boxes(70, 70, 8).max() == 70 + 2 * 56  # A quarter of 280, cut too.
