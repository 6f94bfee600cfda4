"""The shortest vector of a convex hull against SciPy, closed forms and its own conditions."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

from mtl_dm.balancing import min_norm_weights


def solve(rows, present=None):
    rows = np.asarray(rows, np.float64)
    present = np.ones(len(rows)) if present is None else np.asarray(present)
    gram = keras.ops.convert_to_tensor((rows @ rows.T).astype(np.float32))
    found = min_norm_weights(gram, keras.ops.convert_to_tensor(present.astype(np.float32)))
    return keras.ops.convert_to_numpy(found)


def reference(rows):
    """Non-negative least squares, the sum of 1 as a row that outweighs all others."""
    heavy = 1e4 * np.sqrt((rows**2).sum(axis=1).mean())
    matrix = np.vstack([rows.T, np.full(len(rows), heavy)])
    weights, _ = nnls(matrix, np.append(np.zeros(rows.shape[1]), heavy))
    return weights / weights.sum()


@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.sampled_from([2, 5, 40]), st.booleans())
def test_is_as_short_as_scipys(seed, terms, size, together):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(terms, size)) + together * rng.normal(size=size)
    weights, want = solve(rows), reference(rows)
    assert weights.dtype == np.float32
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1.0, abs=1e-5)
    lengths = [((each @ rows) ** 2).sum() for each in (weights, want)]
    assert lengths[0] - lengths[1] < 2e-6 * (rows**2).sum(axis=1).mean()
    if size > terms:  # Then it is unique.
        np.testing.assert_allclose(weights, want, atol=2e-3)


@given(st.integers(0, 2**32 - 1))
def test_two_vectors_have_a_closed_form(seed):
    # Sener, Koltun 2018, eq. 4: w_1 = clip((g2 - g1)' g2 / |g1 - g2|^2, 0, 1).
    one, two = np.random.default_rng(seed).normal(size=(2, 3)) * [[1.0], [2.0]]
    want = np.clip((two - one) @ two / ((one - two) ** 2).sum(), 0.0, 1.0)
    np.testing.assert_allclose(solve([one, two]), [want, 1 - want], atol=1e-5)


@pytest.mark.parametrize(
    ("rows", "want"),
    [
        ([[1, 0], [0, 1]], [0.5, 0.5]),
        ([[1, 0], [0, 2]], [0.8, 0.2]),  # the foot of the height: weights as 1 / length^2
        ([[1, 0], [3, 0]], [1, 0]),  # same direction: the shorter one
        ([[2, 0], [2, 0]], [0.5, 0.5]),  # the same vector twice: any split, by symmetry this one
        ([[1, 0], [-3, 0]], [0.75, 0.25]),  # opposite: 0 lies between
        ([[0, 0], [1, 1]], [1, 0]),
        ([[5, 1]], [1]),
    ],
)
def test_by_hand(rows, want):
    np.testing.assert_allclose(solve(rows), want, atol=1e-6)


@pytest.mark.parametrize("size", [1e-8, 1.0, 1e8])
def test_the_unit_of_the_gradients_does_not_matter(size):
    rows = np.random.default_rng(1).normal(size=(4, 6))
    np.testing.assert_allclose(solve(size * rows), solve(rows), atol=1e-4)


def test_all_zero_and_none_present():
    np.testing.assert_allclose(solve(np.zeros((3, 2))), np.full(3, 1 / 3), rtol=1e-6)
    np.testing.assert_array_equal(solve(np.ones((3, 2)), [0, 0, 0]), np.zeros(3))


def test_who_is_not_present_takes_no_part_whatever_its_row_holds():
    rows = np.random.default_rng(2).normal(size=(4, 6))
    got = solve(rows, [1, 0, 1, 1])
    np.testing.assert_allclose(np.delete(got, 1), solve(np.delete(rows, 1, axis=0)), atol=1e-6)
    assert got[1] == 0


def test_converges_in_few_steps():
    # Frank-Wolfe steps to the vertices are still 3e-3 away after 250.
    rows = np.random.default_rng(3).normal(size=(6, 8))
    gram = keras.ops.convert_to_tensor((rows @ rows.T).astype(np.float32))
    got = keras.ops.convert_to_numpy(min_norm_weights(gram, keras.ops.ones(6), iterations=60))
    np.testing.assert_allclose(got, reference(rows), atol=1e-3)
