"""Nash-MTL and FairGrad by their equations: closed forms and what is left of the equation."""

import numpy as np
import pytest

from mtl_dm.balancing import FairGrad, NashMTL
from mtl_dm.balancing.fair import RIDGE
from tests.balancing.gradients import KINDS, gradients, lengths, weights


def residual(rows, found, power):
    """(G w)_i w_i^p - 1 beyond what the ridge on the cosines explains, `RIDGE` (w_i |g_i|)^2."""
    left = np.abs(rows @ (found @ rows) * found**power - 1)
    return np.max(left - 2 * RIDGE * lengths(rows) ** 2 * found ** (1 + power))


@pytest.mark.parametrize("cosine", [-0.999, -0.5, 0.0, 0.7, 1.0])
def test_two_terms_bargain_by_the_closed_form(cosine):
    # a_1^2 G_11 + a_1 a_2 G_12 = 1 and the same of 2: a_1 |g_1| = a_2 |g_2| = 1 / sqrt(1 + cos).
    rows = np.array([[3.0, 0.0], [0.02 * cosine, 0.02 * np.sqrt(1 - cosine**2)]])
    want = 1 / (lengths(rows) * np.sqrt(1 + cosine))
    np.testing.assert_allclose(weights(NashMTL(), rows), want, rtol=2e-3 if cosine < -0.9 else 1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("terms", [2, 5, 40])
def test_nash_solves_its_equation(kind, terms):
    rows = gradients(kind, terms, seed=1)
    found = weights(NashMTL(), rows)
    assert (found > 0).all()
    assert residual(rows, found, 1.0) < 2e-3


@pytest.mark.parametrize("kind", ["independent", "ill", "dependent"])
@pytest.mark.parametrize("alpha", [0.5, 2.0])
def test_fairgrad_solves_its_equation(kind, alpha):
    rows = gradients(kind, 40)
    rows = rows / lengths(rows).mean()
    found = weights(FairGrad(alpha), rows)
    assert (found > 0).all()
    assert residual(rows, found, 1 / alpha) < 2e-3


@pytest.mark.parametrize("alpha", [0.1, 0.5, 3.0, 10.0])
def test_a_single_term_is_fair_by_the_closed_form(alpha):
    # |g|^2 w = w^(-1 / alpha), so that w = |g|^(-2 alpha / (1 + alpha)).
    want = 5.0 ** (-2 * alpha / (1 + alpha))
    assert weights(FairGrad(alpha), [[3.0, 4.0]]) == pytest.approx(want, rel=1e-5)


def test_proportional_fairness_is_the_bargain():
    rows = gradients("lengths", 5)
    np.testing.assert_array_equal(weights(FairGrad(1.0), rows), weights(NashMTL(), rows))


def test_more_alpha_more_progress_of_the_last():
    rows = gradients("lengths", 5, seed=3)

    def least(alpha):
        step = weights(FairGrad(alpha), rows) @ rows
        return (rows @ step).min() / np.linalg.norm(step)

    assert least(0.5) < least(1.0) < least(3.0)


def test_the_bargain_does_not_change_with_the_scale_of_a_loss():
    rows, scale = gradients("conflicting", 5), np.array([1.0, 1e3, 1e-3, 1.0, 7.0])
    once = weights(NashMTL(), rows)
    again = weights(NashMTL(), scale[:, None] * rows)
    np.testing.assert_allclose(again * scale, once, rtol=1e-3)
    assert np.linalg.norm(once @ rows) == pytest.approx(np.sqrt(5), rel=1e-3)


def test_the_same_term_twice_shares_its_weight():
    rows = gradients("independent", 4)
    found = weights(NashMTL(), np.vstack([rows, rows[1]]))
    assert found[1] == pytest.approx(found[4], rel=1e-4)
    assert residual(np.vstack([rows, rows[1]]), found, 1.0) < 1e-3


def test_at_a_pareto_stationary_point_weights_stay_finite_and_the_step_goes_to_0():
    rows = np.array([[1.0, 0.0], [-3.0, 0.0]])
    found = weights(NashMTL(), rows)
    assert (found * lengths(rows) < 2e3).all()
    assert found * lengths(rows) == pytest.approx([found[0], found[0]], rel=1e-3)
    assert np.linalg.norm(found @ rows) < 1e-3 * (found * lengths(rows)).sum()


@pytest.mark.parametrize("method", [NashMTL, FairGrad])
def test_who_has_no_gradient_takes_no_part(method):
    rows = gradients("independent", 4)
    want = weights(method(), np.delete(rows, 1, axis=0))
    for present in (np.ones(4), np.array([1, 0, 1, 1])):
        rows[1] = 0.0
        got = weights(method(), rows, present=present)
        assert got[1] == 0
        np.testing.assert_allclose(np.delete(got, 1), want, rtol=1e-5)
    assert not weights(method(), np.zeros((3, 2))).any()


def test_extreme_alphas_stay_finite():
    for alpha in (0.1, 10.0):
        assert np.isfinite(weights(FairGrad(alpha), gradients("lengths", 5))).all()


@pytest.mark.parametrize("alpha", [0.0, -1.0, 11.0, np.nan])
def test_alpha_out_of_range(alpha):
    with pytest.raises(ValueError, match=r"alpha of FairGrad must be in \[0.1, 10.0\], got"):
        FairGrad(alpha)


def test_features_are_left_away():
    with pytest.raises(ValueError, match=r"scope of NashMTL must be one of \('shared', 'last_"):
        NashMTL(scope="features")
