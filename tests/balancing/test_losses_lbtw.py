"""Loss-balanced task weighting against its formula in NumPy."""

import numpy as np
import pytest

from mtl_dm.balancing import LBTW
from tests.balancing.steps import batches, numpy, prepared, weighed


def balanced(epoch, alpha):
    """Weights of the batches of an epoch."""
    found = []
    for index, (losses, present) in enumerate(epoch):
        weights = np.zeros(3)
        for term in np.flatnonzero(present):
            first = next(each[term] for each, there in epoch[: index + 1] if there[term])
            weights[term] = (losses[term] / first) ** alpha
        found.append(present.sum() * weights / weights.sum())
    return found


def test_as_in_numpy_over_epochs_with_absent_terms():
    method, got, want = prepared(LBTW(alpha=0.8)), [], []
    for seed in range(3):
        method.begin_epoch()
        epoch = batches(5, seed)
        got += [weighed(method, *batch) for batch in epoch]
        want += balanced(epoch, 0.8)
    np.testing.assert_allclose(got, want, rtol=1e-5)


def test_by_hand():
    # 4 fell to 1, the square root of a quarter is 1/2; 1 stayed: 1/2 and 1, scaled to sum to 2.
    method = prepared(LBTW(), "ab")
    method.begin_epoch()
    np.testing.assert_allclose(weighed(method, (4.0, 1.0)), [1.0, 1.0])
    np.testing.assert_allclose(weighed(method, (1.0, 1.0)), [2 / 3, 4 / 3], rtol=1e-6)
    method.begin_epoch()
    np.testing.assert_allclose(weighed(method, (1.0, 1.0)), [1.0, 1.0])


def test_a_first_loss_is_above_0():
    method = prepared(LBTW(), "ab")
    for losses, first in (((0.0, 2.0), [0.0, 2.0]), ((3.0, 1.0), [3.0, 2.0])):
        assert np.isfinite(weighed(method, losses)).all()
        np.testing.assert_array_equal(numpy(method.first_losses), first)


@pytest.mark.parametrize("alpha", [-0.5, np.nan, np.inf])
def test_refuses_an_alpha_out_of_range(alpha):
    with pytest.raises(ValueError, match="alpha of LBTW must be finite and >= 0, got"):
        LBTW(alpha=alpha)
