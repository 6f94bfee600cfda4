"""IMTL-L: its objective in NumPy, and where that is least."""

import numpy as np
import pytest

from mtl_dm.balancing import IMTLL
from tests.balancing.steps import batches, numpy, prepared, seen

SCALES = np.array([0.3, -1.0, 0.8])


def scaled(scales):
    method = prepared(IMTLL())
    for variable, scale in zip(method.scales.values(), scales, strict=True):
        variable.assign(scale)
    return method


def test_starts_at_equal_weighting():
    assert numpy(prepared(IMTLL()).weigh(seen((1.0, 2.0, 3.0)))).tolist() == [1.0, 1.0, 1.0]


def test_the_objective_as_in_numpy_with_absent_terms():
    method = scaled(SCALES)
    for losses, present in batches(6, 0):
        step = seen(losses, present)
        got = numpy(method.weigh(step)) @ (losses * present) + float(method.own_loss(step))
        want = (present * (np.exp(SCALES) * losses - SCALES)).sum()
        assert got == pytest.approx(want, rel=1e-5)


def test_scaled_losses_become_equal():
    # d/ds (exp(s) L - s) = exp(s) L - 1 is 0 where exp(s) L = 1; an absent term's scale stays.
    method, losses = scaled(SCALES), np.array([0.5, 4.0, 2.0])
    step = seen(losses, (1, 1, 0))
    for _ in range(12):
        slopes = numpy(method.weigh(step)) * numpy(step.losses) - numpy(step.present)
        for variable, slope in zip(method.trainable_variables, slopes, strict=True):
            variable.assign_sub(0.8 * slope)
    np.testing.assert_allclose(numpy(method.weigh(step))[:2] * losses[:2], 1.0, rtol=1e-4)
    assert float(method.scales["c"]) == pytest.approx(SCALES[2])


def test_a_loss_of_0_does_not_raise_its_scale():
    assert float(scaled(SCALES).own_loss(seen((1.0, 0.0, 1.0)))) == pytest.approx(-1.1, rel=1e-6)
