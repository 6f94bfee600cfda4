import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mtl_dm.faces.engines.anchors import anchors, decode, separate


def test_anchors_by_hand():
    grid = anchors(64, 96)
    # 8 x 12, 4 x 6 and 2 x 3 cells with two anchors each.
    assert grid.shape == (2 * (96 + 24 + 6), 3)
    assert grid[:3].tolist() == [[4, 4, 16], [4, 4, 32], [12, 4, 16]]  # along the row first
    assert grid[24].tolist() == [4, 12, 16]
    assert grid[192].tolist() == [8, 8, 64]
    assert grid[-1].tolist() == [80, 48, 512]


def test_decode_by_hand():
    grid = np.array([[100.0, 80, 32], [4, 4, 16]])
    offsets = np.array([[1.0, -2, np.log(2) / 0.2, 0], [0, 0, 0, 0]])
    landmarks = np.tile([5.0, 10], (2, 5))
    (face,) = decode(offsets, np.array([0.9, 0.1]), landmarks, grid, 0.5)
    # Centre (100 + 32 * 0.1, 80 - 2 * 32 * 0.1) = (103.2, 73.6), sides 64 and 32; edges at whole
    # numbers become pixel centres there: half a pixel less.
    assert face.box == pytest.approx((70.7, 57.1, 134.7, 89.1))
    assert face.score == 0.9
    np.testing.assert_allclose(face.landmarks, np.tile([115.5, 111.5], (5, 1)))


def test_decode_sorts_and_merges():
    grid = np.array([[50.0, 50, 32], [52, 50, 32], [200, 50, 32]])
    found = decode(np.zeros((3, 4)), np.array([0.7, 0.8, 0.95]), np.zeros((3, 10)), grid, 0.6)
    assert [face.score for face in found] == [0.95, 0.8]


def test_decode_nothing():
    assert decode(np.zeros((1, 4)), np.zeros(1), np.zeros((1, 10)), np.ones((1, 3)), 0.5) == []


def overlap(one, other):
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = np.prod(np.clip(high - low, 0, None))
    return shared / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - shared)


@given(arrays(np.float64, st.tuples(st.integers(0, 12), st.just(4)), elements=st.integers(1, 30)))
def test_separate_keeps_all_that_repeats_nothing_better(values):
    boxes = np.column_stack([values[:, :2], values[:, :2] + values[:, 2:]])
    kept = separate(boxes)
    assert kept == sorted(kept)
    for row in range(len(boxes)):
        better = [other for other in kept if other < row]
        repeats = any(overlap(boxes[row], boxes[other]) > 0.4 for other in better)
        assert (row in kept) != repeats
