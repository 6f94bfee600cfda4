"""Undetected faces count as wrong, or as the middle of the range."""

import numpy as np
import pytest

from mtl_dm.metrics import correct_where_detected, mid_range_where_undetected

DETECTED = [True, False, True]


def test_an_undetected_face_is_wrong():
    np.testing.assert_array_equal(
        correct_where_detected([True, True, False], DETECTED), [True, False, False]
    )
    np.testing.assert_array_equal(
        correct_where_detected([[1, 0], [1, 1], [0, 1]], DETECTED), [[1, 0], [0, 0], [0, 1]]
    )


def test_an_undetected_face_is_in_the_middle():
    found = mid_range_where_undetected([[1.0, 9.0]] * 3, DETECTED, [0, -1], [10, 5])
    np.testing.assert_allclose(found, [[1, 9], [5, 2], [1, 9]])
    with pytest.raises(ValueError, match="low must not be above high, got 2 and 1"):
        mid_range_where_undetected([[1.0]], [True], 2, 1)


def test_as_many_as_predictions():
    with pytest.raises(ValueError, match=r"detected must be \[2\]"):
        correct_where_detected([True, False], DETECTED)
