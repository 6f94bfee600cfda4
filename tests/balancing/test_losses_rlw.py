"""Random loss weighting: its draws, and the weights that they make."""

import numpy as np
import pytest

from mtl_dm.balancing import RLW
from mtl_dm.draws import keys_of, normal
from tests.balancing.steps import NAMES, numpy, prepared, softmax, weighed


def test_as_in_numpy():
    method = prepared(RLW(seed=7))
    for step in range(3):
        scores = numpy(normal(keys_of(7, NAMES), float(step)))
        present = np.array([1, step != 1, 1])
        want, here = np.zeros(3), present > 0
        want[here] = here.sum() * softmax(scores[here])
        np.testing.assert_allclose(weighed(method, np.ones(3), present), want, rtol=1e-4)


def test_the_same_again_and_different_in_every_step():
    runs = [
        [weighed(method, np.ones(3)) for _ in range(5)] for method in map(prepared, (RLW(), RLW()))
    ]
    np.testing.assert_array_equal(*runs)
    assert len(np.unique(np.array(runs[0])[:, 0])) == 5
    np.testing.assert_allclose(np.sum(runs[0], axis=1), 3.0, rtol=1e-5)
    assert np.any(weighed(prepared(RLW(seed=1)), np.ones(3)) != runs[0][0])


@pytest.mark.parametrize("seed", [-1, 2**31, 0.5, None])
def test_refuses_a_seed_out_of_range(seed):
    with pytest.raises(ValueError, match="seed of rlw must be an integer from 0 to"):
        RLW(seed=seed)
