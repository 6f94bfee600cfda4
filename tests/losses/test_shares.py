"""What the labels of a batch leave open, counted by hand and in NumPy."""

import numpy as np
import pytest

from mtl_dm.losses.shares import (
    Labelled,
    attributes_beside_class,
    attributes_without_class,
    class_beside_attributes,
    missing_attributes,
)

CLASSES = np.array([1, 1, 0, 0, 0], np.float32)
ATTRIBUTES = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], np.float32)
SHARES = {
    missing_attributes: 0.6,  # 4 of 10 are labelled
    attributes_without_class: 0.4,  # images 2 and 3 of 5
    attributes_beside_class: 0.25,  # 1 of the 4 places of images 0 and 1
    class_beside_attributes: 1 / 3,  # image 1 of 1, 2 and 3
}
each = pytest.mark.parametrize("share", SHARES)


@each
def test_by_hand(share):
    assert float(share(Labelled(CLASSES, ATTRIBUTES))) == pytest.approx(SHARES[share])


@each
def test_masks_that_weigh_images_count_as_labels(share):
    for labelled in (Labelled(2.0 * CLASSES, 0.5 * ATTRIBUTES), Labelled(CLASSES, ATTRIBUTES > 0)):
        assert float(share(labelled)) == pytest.approx(SHARES[share])


@each
def test_images_that_are_not_counted_change_nothing(share):
    counted = np.repeat([1.0, 0.0], 5)
    labelled = Labelled(np.r_[CLASSES, 1 - CLASSES], np.r_[ATTRIBUTES, 1 - ATTRIBUTES], counted)
    assert float(share(labelled)) == pytest.approx(SHARES[share])


@pytest.mark.parametrize(
    ("classes", "attributes", "shares"),
    [
        (np.ones(3), np.ones((3, 2)), (0, 0, 1, 1)),
        (np.zeros(3), np.zeros((3, 2)), (1, 0, 0, 0)),
        (np.zeros(3), np.ones((3, 2)), (0, 1, 0, 0)),
        (np.ones(3), np.zeros((3, 2)), (1, 0, 0, 0)),
    ],
)
def test_limits(classes, attributes, shares):
    labelled = Labelled(classes, attributes)
    assert tuple(float(share(labelled)) for share in SHARES) == shares
