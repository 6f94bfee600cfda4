"""Random loss weighting: its draws, and the weights that they make."""

import zlib

import numpy as np
import pytest
from scipy import stats

from mtl_dm.balancing import RLW
from mtl_dm.balancing._draws import STEPS, next_step, normals
from tests.balancing.steps import NAMES, numpy, prepared, softmax, tensor, weighed

WORD = 0xFFFFFFFF


def finalised(bits):
    """MurmurHash3's finaliser on a Python integer."""
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        bits ^= bits >> shift
        bits = bits * factor & WORD
    return bits ^ bits >> 16


def drawn(seed, name, step):
    stream = finalised(zlib.crc32(name.encode()) ^ finalised(seed))
    bits = finalised(stream ^ finalised(step + 1))
    return stats.norm.ppf(((bits >> 8) + 0.5) / 2**24)


def test_as_in_numpy():
    method = prepared(RLW(seed=2**32 - 1))
    for step in range(3):
        scores = np.array([drawn(2**32 - 1, name, step) for name in NAMES])
        present = np.array([1, step != 1, 1])
        want, here = np.zeros(3), present > 0
        want[here] = here.sum() * softmax(scores[here])
        np.testing.assert_allclose(weighed(method, np.ones(3), present), want, rtol=1e-4)


def test_draws_are_those_of_independent_normal_variables():
    steps = tensor(np.arange(20000))
    one, other = (numpy(normals(seed, [name], steps)) for seed, name in ((0, "a"), (0, "b")))
    assert stats.kstest(one, "norm").pvalue > 0.01
    assert np.abs(one).max() < 6
    # 3 standard errors of a correlation.
    limit = 3 / np.sqrt(len(one))
    for x, y in ((one, other), (one[:-1], one[1:]), (one, numpy(normals(1, ["a"], steps)))):
        assert abs(np.corrcoef(x, y)[0, 1]) < limit


def test_the_same_again_and_different_in_every_step():
    runs = [
        [weighed(method, np.ones(3)) for _ in range(5)] for method in map(prepared, (RLW(), RLW()))
    ]
    np.testing.assert_array_equal(*runs)
    assert len(np.unique(np.array(runs[0])[:, 0])) == 5
    np.testing.assert_allclose(np.sum(runs[0], axis=1), 3.0, rtol=1e-5)
    assert np.any(weighed(prepared(RLW(seed=1)), np.ones(3)) != runs[0][0])


def test_the_counter_starts_again_where_float32_ends():
    assert float(next_step(tensor(STEPS - 2))) == STEPS - 1
    assert float(next_step(tensor(STEPS - 1))) == 0.0
    assert np.isfinite(numpy(normals(0, NAMES, tensor(STEPS - 1)))).all()


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, None])
def test_refuses_a_seed_out_of_range(seed):
    with pytest.raises(ValueError, match=r"seed of RLW must be an integer in \[0, 2\^32\), got"):
        RLW(seed=seed)
