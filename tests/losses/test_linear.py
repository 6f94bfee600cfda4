"""Values that attributes predict, against NumPy, with gradients."""

import numpy as np
import pytest
from scipy.special import expit

from mtl_dm.losses import linear_matching
from mtl_dm.losses.linear import _rule
from mtl_dm.relatedness import Linear
from tests.losses.references import central_differences, tape_gradient

B, M, R = 10, 3, 2
RELATION = Linear(
    ("AU4", "AU6", "AU12"),
    ("valence", "arousal"),
    [[-0.4, 0.2], [0.3, 0.0], [0.6, 0.1]],
    [0.1, -0.2],
    "made up, 2024",
)


def draw():
    rng = np.random.default_rng(0)
    masks = {"attributes": rng.integers(0, 2, (B, M)), "values": rng.integers(0, 2, (B, R))}
    for mask in masks.values():
        mask[0], mask[1] = 1, 0
    labels = {"attributes": rng.integers(0, 2, (B, M)), "values": rng.uniform(-1, 1, (B, R))}
    return rng.normal(size=(B, M)), rng.normal(size=(B, R)), labels, masks


def reference(logits, predictions, labels, masks):
    a = np.where(masks["attributes"], labels["attributes"], expit(logits))
    y = np.where(masks["values"], labels["values"], predictions)
    expected = [RELATION.intercept + row @ RELATION.coefficients for row in a]
    return ((y - expected) ** 2).mean(axis=1)


def test_equals_numpy_with_its_gradients():
    logits, predictions, labels, masks = draw()
    values, weights = linear_matching(logits, predictions, RELATION, labels, masks)
    np.testing.assert_allclose(values, reference(logits, predictions, labels, masks), rtol=1e-5)
    whole = masks["attributes"].all(axis=1) & masks["values"].all(axis=1)
    np.testing.assert_array_equal(weights, ~whole)
    assert not weights[0]
    got = tape_gradient(
        lambda x: linear_matching(x, predictions, RELATION, labels, masks)[0], logits
    )
    want = central_differences(lambda x: reference(x, predictions, labels, masks), logits)
    np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-5)
    assert not got[masks["attributes"] > 0].any()
    got = tape_gradient(
        lambda y: linear_matching(logits, y, RELATION, labels, masks)[0], predictions
    )
    want = central_differences(lambda y: reference(logits, y, labels, masks), predictions)
    np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-5)
    assert not got[masks["values"] > 0].any()


def test_labels_under_mask_0_do_not_matter():
    logits, predictions, labels, masks = draw()
    spoilt = {side: np.where(masks[side], labels[side], np.nan) for side in labels}
    for got, want in zip(
        linear_matching(logits, predictions, RELATION, spoilt, masks),
        linear_matching(logits, predictions, RELATION, labels, masks),
        strict=True,
    ):
        np.testing.assert_array_equal(got, want)


def test_by_rule_it_counts_with_the_values_that_are_missing():
    attributes = np.array([[1, 1, 1], [1, 1, 1], [0, 1, 1], [0, 0, 0]], np.float32)
    values = np.array([[1, 1], [0, 0], [0, 0], [1, 1]], np.float32)
    masks = {"source": attributes, "known": values}
    # Half of the values are missing; of the two images with all attributes one has values.
    assert float(_rule("", masks, "mean", "first")) == pytest.approx(0.5)
    assert float(_rule("", masks, "mean", "apart")) == pytest.approx(0.5 * (1 - 0.5) ** 2)


def test_shapes_that_do_not_fit_are_named():
    logits, predictions, labels, masks = draw()
    with pytest.raises(ValueError, match="logits of the attributes must have shape"):
        linear_matching(logits[:, :2], predictions, RELATION, labels, masks)
    with pytest.raises(ValueError, match="mask of the values must have shape"):
        linear_matching(
            logits, predictions, RELATION, labels, {**masks, "values": masks["values"][0]}
        )
