import numpy as np
import pytest

from mtl_dm.relatedness import from_annotations, implied_conditional


def by_loop(classes, attributes, mask):
    implied = np.full((classes.shape[1], attributes.shape[1]), np.nan)
    for k in range(classes.shape[1]):
        for i in range(attributes.shape[1]):
            counted = [n for n in range(len(classes)) if mask[n, i]]
            mass = sum(classes[n, k] for n in counted)
            if mass > 0:
                implied[k, i] = sum(classes[n, k] * attributes[n, i] for n in counted) / mass
    return implied


def test_equals_the_loop():
    rng = np.random.default_rng(0)
    classes = rng.dirichlet(np.ones(4), 30)
    attributes, mask = rng.random((30, 5)), rng.integers(0, 2, (30, 5))
    mask[:, 2] = 0
    attributes[mask == 0] = np.nan
    found = implied_conditional(classes, attributes, mask)
    np.testing.assert_allclose(found, by_loop(classes, attributes, mask), rtol=1e-12)
    assert np.isnan(found[:, 2]).all()


def test_labels_give_the_counts_of_the_annotations():
    rng = np.random.default_rng(1)
    ids, attributes = rng.integers(0, 3, 50), rng.integers(0, 2, (50, 4))
    counted = from_annotations(ids, attributes, classes=["a", "b", "c"], attributes=list("wxyz"))
    found = implied_conditional(np.eye(3)[ids], attributes)
    np.testing.assert_allclose(found, counted.conditional, rtol=1e-6)


def test_undecided_classes_give_the_mean_attribute():
    attributes = np.array([[0.2], [0.6]])
    found = implied_conditional(np.full((2, 3), 1 / 3), attributes)
    np.testing.assert_allclose(found, [[0.4]] * 3)


@pytest.mark.parametrize(
    ("classes", "attributes", "mask", "message"),
    [
        (np.ones((2, 3)), np.ones((3, 1)), None, r"\(2, 3\) and \(3, 1\)"),
        (np.ones(2), np.ones((2, 1)), None, r"\[N, K\]"),
        (np.ones((2, 3)), np.ones((2, 1)), np.ones(2), r"mask must have the shape \(2, 1\)"),
        (np.full((2, 3), 1.1), np.ones((2, 1)), None, "class_probabilities must lie"),
        (np.ones((2, 3)), np.full((2, 1), np.nan), None, "attribute_probabilities must lie"),
    ],
)
def test_refused(classes, attributes, mask, message):
    with pytest.raises(ValueError, match=message):
        implied_conditional(classes, attributes, mask)
