"""The factors that the labels of a batch give."""

import numpy as np
import pytest

from mtl_dm.losses.weighting import (
    BASE_FACTORS,
    attributes_without_class,
    co_annotation_factor,
    matching_factor,
    missing_attributes,
)

CLASSES = np.array([1, 1, 0, 0, 0], np.float32)
ATTRIBUTES = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], np.float32)


def test_missing_attributes():
    # 4 of 10 are labelled.
    assert float(missing_attributes(ATTRIBUTES)) == pytest.approx(0.6)
    assert float(missing_attributes(np.ones((3, 2)))) == 0.0
    assert float(missing_attributes(np.zeros((3, 2)))) == 1.0


def test_attributes_without_class():
    # Images 2 and 3 of 5; image 1 has its class, image 4 no attribute.
    assert float(attributes_without_class(CLASSES, ATTRIBUTES)) == pytest.approx(0.4)
    assert float(attributes_without_class(np.ones(5), ATTRIBUTES)) == 0.0
    assert float(attributes_without_class(np.zeros(5), np.ones((5, 2)))) == 1.0


def test_masks_that_weigh_images_count_as_labels():
    assert float(missing_attributes(3.0 * ATTRIBUTES)) == pytest.approx(0.6)
    assert float(attributes_without_class(2.0 * CLASSES, 0.5 * ATTRIBUTES)) == pytest.approx(0.4)
    assert float(missing_attributes(ATTRIBUTES > 0)) == pytest.approx(0.6)


def test_the_rule():
    assert BASE_FACTORS == {"conditional": 1.0, "posterior": 0.5}
    assert float(matching_factor("conditional", ATTRIBUTES, "sum")) == pytest.approx(0.6)
    # Divided by the two attributes, as the averaged attribute loss is.
    assert float(matching_factor("conditional", ATTRIBUTES, "mean")) == pytest.approx(0.3)
    assert float(co_annotation_factor("posterior", CLASSES, ATTRIBUTES)) == pytest.approx(0.2)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("form", ["paper", "bernoulli", "distillation", "js", "batch", "mine"])
def test_other_forms_have_factor_1(form, reduction):
    assert matching_factor(form, ATTRIBUTES, reduction) == 1.0
    assert co_annotation_factor(form, CLASSES, ATTRIBUTES) == 1.0
