import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_dm.losses import weighted_mean
from tests.losses import references


@given(st.integers(0, 2**32 - 1))
def test_equals_the_average_of_numpy(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(1.0, 1.0, 20).astype(np.float32)
    weights = rng.choice([0.0, 0.5, 1.0, 2.0], 20).astype(np.float32)
    weights[0] = 1
    got = float(weighted_mean(values, weights))
    # atol: terms of both signs may cancel.
    np.testing.assert_allclose(got, np.average(values, weights=weights), rtol=1e-5, atol=1e-6)


def test_by_hand():
    # (1 * 1 + 3 * 2 + 100 * 0) / 3
    got = weighted_mean(np.float32([1, 3, 100]), np.float32([1, 2, 0]))
    assert float(got) == pytest.approx(7 / 3)
    assert got.shape == ()
    assert got.dtype == "float32"


def test_weights_below_1_in_total_are_still_a_mean():
    assert float(weighted_mean(np.float32([4.0]), np.float32([0.25]))) == 4.0


def test_all_weights_0_give_0_and_no_gradient():
    values = np.float32([1e30, -5, 2])
    assert float(weighted_mean(values, np.zeros(3, np.float32))) == 0.0
    got = references.tape_gradient(lambda v: weighted_mean(v, np.zeros(3, np.float32)), values)
    np.testing.assert_array_equal(got, np.zeros(3))


def test_scalars_of_a_whole_batch():
    assert float(weighted_mean(np.float32(3.0), np.float32(1.0))) == 3.0
    assert float(weighted_mean(np.float32(3.0), np.float32(0.0))) == 0.0
    assert float(weighted_mean(np.float32(3.0), np.float32([1.0, 0.0, 1.0]))) == 3.0


def test_gradient_is_the_share_of_the_weight():
    weights = np.float32([1, 0, 3])
    got = references.tape_gradient(lambda v: weighted_mean(v, weights), np.float32([1, 2, 3]))
    np.testing.assert_allclose(got, [0.25, 0, 0.75])
