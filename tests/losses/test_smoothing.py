"""Smoothed labels, and the table of how people vote."""

import keras
import numpy as np
import pytest

from mtl_dm.losses import masked_cross_entropy, prior_from_votes, smoothed, task_loss
from mtl_dm.tasks import Task

# Rows as in the authors' code: the second has lost a class and does not sum to 1.
PRIOR = ((0.7, 0.2, 0.1), (0.1, 0.6, 0.1), (0.0, 0.5, 0.5))


def numpy(values):
    return keras.ops.convert_to_numpy(values)


def test_by_hand():
    # (1 - .2) (0, 1, 0) + .2 (.1, .6, .1) = (.02, .92, .02).
    got = numpy(smoothed(np.eye(3)[[1]], 0.2, PRIOR))
    np.testing.assert_allclose(got, [[0.02, 0.92, 0.02]], rtol=1e-6)


def test_soft_labels_take_the_mean_of_the_rows_and_missing_ones_stay_zero():
    labels = np.array([[0.5, 0.0, 0.5], [0.0, 0.0, 0.0]])
    row = (np.array(PRIOR[0]) + np.array(PRIOR[2])) / 2
    got = numpy(smoothed(labels, 0.4, PRIOR))
    np.testing.assert_allclose(got, [0.6 * labels[0] + 0.4 * row, np.zeros(3)], rtol=1e-6)


def test_an_even_prior_is_as_good_as_none():
    labels = np.eye(3)[[2, 0]]
    even = np.full((3, 3), 1 / 3)
    np.testing.assert_allclose(
        numpy(smoothed(labels, 0.3, even)), numpy(smoothed(labels, 0.3)), rtol=1e-6
    )


def test_the_loss_of_a_task_is_the_cross_entropy_with_the_smoothed_label():
    rng = np.random.default_rng(0)
    logits, ids = rng.normal(size=(4, 3)).astype(np.float32), np.array([0, 1, 2, 1])
    mask = np.array([1.0, 1.0, 1.0, 0.0], np.float32)
    labels = np.eye(3, dtype=np.float32)[ids]
    labels[3] = np.nan  # Not annotated.
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    targets = 0.8 * np.eye(3)[ids] + 0.2 * np.array(PRIOR)[ids]
    task = Task.multiclass("x", "abc", label_smoothing=0.2, smoothing_prior=PRIOR)
    values, weights = task_loss(task, labels, logits, mask)
    np.testing.assert_allclose(values, mask * -(targets * logs).sum(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(weights, mask)


def test_without_smoothing_a_prior_does_nothing():
    rng = np.random.default_rng(1)
    arrays = np.eye(3)[[0, 2]], rng.normal(size=(2, 3)), np.ones(2)
    np.testing.assert_array_equal(
        numpy(masked_cross_entropy(*arrays, 0.0, PRIOR)), numpy(masked_cross_entropy(*arrays))
    )


def test_a_table_of_another_size():
    with pytest.raises(ValueError, match=r"prior must have shape \(3, 3\), got \(2, 2\)"):
        smoothed(np.eye(3), 0.2, np.eye(2))


def test_prior_from_votes_by_hand():
    # Class 0: shares (.8, .2) and (.6, .4); class 1: (.25, .75), of 4 votes instead of 10.
    got = prior_from_votes([[8, 2], [6, 4], [1, 3]], [0, 0, 1])
    np.testing.assert_allclose(got, [[0.7, 0.3], [0.25, 0.75]])
    Task.multiclass("x", "ab", label_smoothing=0.2, smoothing_prior=got)


@pytest.mark.parametrize(
    ("votes", "classes", "match"),
    [
        ([1, 2], [0, 1], r"votes must be \[N, K\] .* got shapes \(2,\)"),
        ([[1, 2]], [0, 1], r"got shapes \(1, 2\) and \(2,\)"),
        ([[1, 0], [0, 0]], [0, 1], r"at least one vote, got \[0.0, 0.0\] in row 1"),
        ([[1, 0], [-1, 2]], [0, 1], r"votes >= 0 .* in row 1"),
        ([[1, 0], [np.nan, 2]], [0, 1], "in row 1"),
        ([[1, 0], [1, 2]], [0, 2], r"ids in \[0, 1\], got \[2\]"),
        ([[1, 0], [1, 2]], [0, 0], r"there is none of class \[1\]"),
    ],
)
def test_votes_that_make_no_table(votes, classes, match):
    with pytest.raises(ValueError, match=match):
        prior_from_votes(votes, classes)
