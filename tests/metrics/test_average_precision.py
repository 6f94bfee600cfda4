"""Average precision, against scikit-learn."""

import warnings

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax as reference_softmax
from sklearn.metrics import average_precision_score

from mtl_dm.metrics.average_precision import average_precision, softmax_columns


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=1, max_size=30))
def test_equals_scikit_learn_with_ties(rows):
    positive, scores = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], float)
    actual = average_precision(positive, scores)
    if positive.any():
        np.testing.assert_allclose(actual, average_precision_score(positive, scores))
    else:
        assert np.isnan(actual)


def softmax(logits):
    return np.stack(list(softmax_columns(logits)), axis=1)


def test_all_tied_is_the_base_rate():
    assert average_precision(np.array([True, False, False, False]), np.zeros(4)) == 0.25


def test_softmax():
    logits = np.random.default_rng(0).normal(size=(600, 7)).astype(np.float32)
    np.testing.assert_allclose(softmax(logits), reference_softmax(logits.astype(float), axis=1))


def test_softmax_of_extreme_logits_is_finite_and_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        actual = softmax(np.array([[1e4, -1e4, 1e4], [-1e4, -1e4, -1e4]]))
    np.testing.assert_allclose(actual, [[0.5, 0, 0.5], [1 / 3] * 3])


def test_softmax_is_the_same_to_the_last_bit_whatever_the_order_of_classes():
    logits = np.random.default_rng(1).normal(size=(50, 7))
    order = np.random.default_rng(2).permutation(7)
    np.testing.assert_array_equal(softmax(logits)[:, order], softmax(logits[:, order]))
