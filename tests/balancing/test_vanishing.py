"""The vanishing gradient of the weight unit, against the printed factor and the unit itself."""

import numpy as np
import pytest

from mtl_dm.balancing import weight_unit
from mtl_dm.balancing.vanishing import printed_slopes
from tests.balancing.steps import numpy, tensor

SIZES = 10.0 ** np.random.default_rng(0).uniform(-2, 9, (50, 3))


def test_the_printed_factor_depends_on_ratios_alone():
    total = SIZES.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(printed_slopes(SIZES), SIZES * (total - SIZES) / total**2, rtol=1e-6)
    np.testing.assert_allclose(printed_slopes(1e9 * SIZES), printed_slopes(SIZES), rtol=1e-6)
    lengths = np.linalg.norm(SIZES, axis=-1, keepdims=True)
    np.testing.assert_allclose(printed_slopes(SIZES / lengths), printed_slopes(SIZES), rtol=1e-6)


def test_it_vanishes_where_one_is_large_and_not_where_all_are():
    assert printed_slopes([8e6, 1.0])[0] == pytest.approx(1 / 8e6, rel=1e-6)
    np.testing.assert_allclose(printed_slopes([8e6, 8e6]), 0.25)
    assert printed_slopes([[8e6, 1.0], [1e-9, 5.0]], normalised=True).min() > 0.157


@pytest.mark.parametrize("normalised", [False, True])
def test_as_the_unit_has_it(normalised):
    logits = tensor(np.log(SIZES))
    present = tensor(np.ones(3))
    scaled = weight_unit.normalised(logits, present) if normalised else logits
    want = weight_unit.slopes_of(numpy(weight_unit.weights_of_images(scaled, present)))
    np.testing.assert_allclose(printed_slopes(SIZES, normalised), want, rtol=1e-4, atol=1e-6)


def test_from_2_to_the_24_on_float32_has_nothing_left():
    def slope(size):
        logits = tensor(np.log([[size, 1.0]]))
        return weight_unit.slopes_of(numpy(weight_unit.weights_of_images(logits, tensor([1, 1]))))

    assert slope(2.0**22)[0, 0] > 0
    assert slope(2.0**25)[0, 0] == 0


@pytest.mark.parametrize("size", [0.0, -1.0, np.nan, np.inf])
def test_refuses_what_is_no_exponential(size):
    with pytest.raises(ValueError, match="must be finite and > 0"):
        printed_slopes([1.0, size])
