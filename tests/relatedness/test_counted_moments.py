"""Moments and linear relations counted on annotations, published, learned."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from mtl_dm.relatedness import (
    explained_values,
    learn_moments,
    linear_from_annotations,
    moments_from_annotations,
    overall_moments,
    russell,
)
from mtl_dm.tasks import EXPRESSIONS

CLASSES, VALUES = ("a", "b", "c"), ("valence", "arousal")
NAMES = {"classes": CLASSES, "values": VALUES}
MEANS = np.array([[0.6, 0.2], [-0.5, -0.3], [0.0, 0.7]])


def annotations(rows=300, seed=0):
    """Classes and values of images; some lack one, some the other."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, 3, rows)
    values = MEANS[ids] + rng.normal(0, 0.15, (rows, 2)) @ np.array([[1.0, 0.4], [0.0, 1.0]])
    seen, known = np.where(rng.random(rows) < 0.2, -1, ids), values.copy()
    known[rng.random((rows, 2)) < 0.2] = np.nan
    return ids, values, seen, known


def test_counted_moments_equal_numpys():
    _, _, ids, values = annotations()
    found = moments_from_annotations(ids, values, **NAMES)
    for k in range(3):
        rows = values[(ids == k) & ~np.isnan(values).any(axis=1)]
        np.testing.assert_allclose(found.mean[k], rows.mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(found.covariance[k], np.cov(rows.T, ddof=0), rtol=1e-4)
    np.testing.assert_allclose(
        found.prior, [np.mean(ids[ids >= 0] == k) for k in range(3)], rtol=1e-5
    )
    whole = ((ids >= 0) & ~np.isnan(values).any(axis=1)).sum()
    assert found.citation == f"Counted on {whole} annotated images."


def test_a_class_of_one_image_needs_the_others_covariance():
    ids, values = np.array([0, 0, 0, 0, 1]), np.array([[0, 0], [1, 0], [0, 1], [1, 1.5], [9, 9]])
    names = {"classes": ("a", "b"), "values": VALUES}
    with pytest.raises(ValueError, match="positive definite for every class; that of 'b'"):
        moments_from_annotations(ids, values, **names)
    found = moments_from_annotations(ids, values, **names, pooled=2.0)
    own = np.cov(values[:4].T, ddof=0)
    # Within classes: four fifths of the first one's. Of b, 1 image without spread and 2 of those.
    np.testing.assert_allclose(found.covariance[1], 2 * 0.8 * own / 3, rtol=1e-5)
    np.testing.assert_allclose(found.covariance[0], (4 + 2 * 0.8) * own / 6, rtol=1e-5)


@pytest.mark.parametrize(
    ("ids", "values", "message"),
    [
        ([0, 1], [[0, 0], [1, 1]], r"never: \['c'\]"),
        ([0, 1, 3], [[0, 0]] * 3, r"class_labels must lie in \[-1, 2\], got 3 in row 2"),
        ([0, 1, 2], [[0, 0]] * 2, r"value_labels must be \(3, 2\), got \(2, 2\)"),
        ([0, 1, 2], [[0, 0], [np.inf, 0], [0, 0]], "value_labels must be finite, or NaN"),
        ([0.0, 1.0, 2.0], [[0, 0]] * 3, "class_labels must be integers"),
    ],
)
def test_annotations_that_do_not_suffice(ids, values, message):
    with pytest.raises(ValueError, match=message):
        moments_from_annotations(ids, values, **NAMES)


def test_learned_moments_come_near_the_true_ones_without_an_image_that_has_both_labels():
    ids, values, _, _ = annotations(2000)
    rng = np.random.default_rng(1)
    # The network is right in seven of ten images, and knows it.
    wrong = rng.random(len(ids)) < 0.3
    said = np.where(wrong, (ids + rng.integers(1, 3, len(ids))) % 3, ids)
    p = np.where(np.eye(3)[said] > 0, 0.7, 0.15)
    none = np.full(len(ids), -1)
    start = overall_moments(values, CLASSES, VALUES)
    assert np.ptp(start.mean, axis=0).max() == 0
    found = learn_moments(p, none, values, start)
    np.testing.assert_allclose(found.mean, MEANS, atol=0.06)
    gained = explained_values(p, none, values, found) - explained_values(p, none, values, start)
    assert gained > 0.5
    # A network that tells nothing teaches nothing.
    even = learn_moments(np.full((len(ids), 3), 1 / 3), none, values, start)
    np.testing.assert_allclose(even.mean, start.mean, atol=1e-5)


def test_learned_from_labels_alone_they_are_the_counted_ones_but_for_the_pool():
    ids, values, _, _ = annotations()
    start = overall_moments(values, CLASSES, VALUES)
    found = learn_moments(np.full((len(ids), 3), 1 / 3), ids, values, start, pooled=1e-6)
    want = moments_from_annotations(ids, values, **NAMES)
    np.testing.assert_allclose(found.mean, want.mean, atol=1e-4)
    np.testing.assert_allclose(found.covariance, want.covariance, atol=1e-3)
    np.testing.assert_allclose(found.prior, want.prior, atol=1e-6)


def test_without_values_the_start_stays():
    start = russell()
    nothing = np.full((5, 2), np.nan)
    assert learn_moments(np.full((5, 6), 1 / 6), np.full(5, -1), nothing, start) is start
    same = learn_moments(np.full((5, 6), 1 / 6), np.full(5, -1), np.zeros((5, 2)), start)
    assert np.isfinite(same.covariance).all()
    with pytest.raises(ValueError, match=r"two images with all of .* got 0"):
        overall_moments(nothing, CLASSES, VALUES)


def test_the_circumplex_is_marked_and_leaves_disgust_alone():
    found = russell(deviation=0.5)
    assert set(EXPRESSIONS) - set(found.classes) == {"disgust"}
    assert "second-hand" in found.citation
    assert "this project" in found.citation
    place = dict(zip(found.classes, found.mean.tolist(), strict=True))
    assert place["happiness"] == pytest.approx([0.826, 0.526])
    assert place["neutral"] == [0.0, 0.0]
    np.testing.assert_allclose(found.covariance[0], 0.25 * np.eye(2))
    with pytest.raises(ValueError, match="deviation must be finite and > 0, got 0"):
        russell(deviation=0)


def test_a_linear_relation_is_scikit_learns_ridge():
    rng = np.random.default_rng(0)
    attributes = rng.integers(0, 2, (80, 3)).astype(float)
    values = attributes @ [[0.5, 0.0], [-0.4, 0.2], [0.0, 0.6]] + rng.normal(0, 0.1, (80, 2))
    attributes[:9, 1], values[5:20, 0] = -1, np.nan
    whole = (attributes >= 0).all(axis=1) & ~np.isnan(values).any(axis=1)
    names = {"attributes": ("x", "y", "z"), "values": VALUES}
    found = linear_from_annotations(attributes, values, **names, ridge=2.0)
    want = Ridge(alpha=2.0).fit(attributes[whole], values[whole])
    np.testing.assert_allclose(found.coefficients, want.coef_.T, rtol=1e-5)
    np.testing.assert_allclose(found.intercept, want.intercept_, rtol=1e-5)
    attributes[:, 2] = 0
    never = linear_from_annotations(attributes, values, **names)
    assert not never.coefficients[2].any()


@pytest.mark.parametrize(
    ("attributes", "values", "ridge", "message"),
    [
        (np.zeros((3, 1)), np.zeros((3, 2)), 1.0, r"attribute_labels must be \[N, 2\]"),
        (np.full((3, 2), 0.5), np.zeros((3, 2)), 1.0, "attribute_labels must be 0 or 1"),
        (np.zeros((3, 2)), np.full((3, 2), np.nan), 1.0, "needs two images with all of"),
        (np.zeros((3, 2)), np.zeros((3, 2)), 0.0, "ridge must be > 0, got 0"),
    ],
)
def test_a_linear_relation_that_labels_do_not_give(attributes, values, ridge, message):
    with pytest.raises(ValueError, match=message):
        linear_from_annotations(
            attributes, values, attributes=("x", "y"), values=VALUES, ridge=ridge
        )
