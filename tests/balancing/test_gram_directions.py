"""CAGrad, IMTL-G and Aligned-MTL against SciPy and NumPy on the vectors themselves."""

import numpy as np
import pytest
from scipy.optimize import minimize

from mtl_dm.balancing import AlignedMTL, CAGrad, ImpartialGradients
from tests.balancing.gradients import apart, gradients, lengths, weights


def conflict_averse(rows, c):
    """Liu et al. 2021, algorithm 1, by SLSQP with the exact gradient."""
    rows = rows / np.sqrt((rows**2).sum(axis=1).mean())
    mean = rows.mean(axis=0)
    radius = c * np.linalg.norm(mean)

    def dual(w):
        return w @ rows @ mean + radius * np.linalg.norm(w @ rows)

    def slope(w):
        return rows @ mean + radius * rows @ (w @ rows) / np.linalg.norm(w @ rows)

    count = len(rows)
    best = minimize(
        lambda w: dual(w) / radius,
        np.full(count, 1 / count),
        jac=lambda w: slope(w) / radius,
        bounds=[(0, 1)] * count,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like},
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-12},
    ).x
    return mean + radius * best @ rows / np.linalg.norm(best @ rows)


@pytest.mark.parametrize(
    ("kind", "terms", "c"),
    [
        ("independent", 2, 0.5),
        ("alike", 5, 0.2),
        ("ill", 5, 0.5),
        ("independent", 40, 0.4),
        ("ill", 40, 0.4),
        ("dependent", 40, 0.8),
    ],
)
def test_cagrad_is_scipys(kind, terms, c):
    rows = gradients(kind, terms, seed=5)
    rows = rows / np.sqrt((rows**2).sum(axis=1).mean())
    found = weights(CAGrad(c, rescale="none"), rows)
    assert apart(found @ rows, conflict_averse(rows, c)) < 1e-3


@pytest.mark.parametrize("kind", ["lengths", "conflicting"])
def test_cagrads_step_stays_in_its_ball_and_helps_the_worst_off(kind):
    rows = gradients(kind, 8)
    mean = rows.mean(axis=0)
    got = weights(CAGrad(0.5, rescale="none"), rows) @ rows
    assert np.linalg.norm(got - mean) <= 0.5 * np.linalg.norm(mean) * (1 + 1e-4)
    assert (rows @ got).min() >= (rows @ mean).min() - 1e-4 * (rows**2).sum(axis=1).mean()


def test_cagrad_with_no_room_is_the_mean():
    np.testing.assert_allclose(weights(CAGrad(0.0), gradients("alike", 4)), np.full(4, 0.25))


@pytest.mark.parametrize(("rescale", "by"), [("square", 1.16), ("linear", 1.4)])
def test_cagrad_rescales(rescale, by):
    rows = gradients("independent", 3)
    plain = weights(CAGrad(0.4, "none"), rows)
    np.testing.assert_allclose(weights(CAGrad(0.4, rescale), rows) * by, plain, rtol=1e-5)


def test_cagrad_has_no_unit():
    rows = gradients("independent", 4)
    np.testing.assert_allclose(
        weights(CAGrad(), 1e-6 * rows), weights(CAGrad(), 1e6 * rows), rtol=1e-4
    )


def test_cagrad_stands_still_where_any_step_harms_a_term():
    # Every d but those across has g_i' d < 0 for one; 0 is in the ball, and g_w = 0.
    rows = np.array([[1.0, 0.0], [-3.0, 0.0]])
    got = weights(CAGrad(2.0, "none"), rows)
    assert (got < 1 + 2e3).all()  # 1 + c / sqrt(eps)
    np.testing.assert_allclose(got @ rows, [0.0, 0.0], atol=5e-3)


@pytest.mark.parametrize("kind", ["independent", "lengths", "conflicting"])
@pytest.mark.parametrize("terms", [2, 5, 40])
def test_impartial_directions_have_equal_projections(kind, terms):
    rows = gradients(kind, terms, seed=6)
    found = weights(ImpartialGradients(), rows)
    along = rows @ (found @ rows) / lengths(rows)
    np.testing.assert_allclose(along, along.mean(), rtol=2e-3)
    assert along.min() > 0
    assert np.abs(found).sum() == pytest.approx(1.0, abs=1e-5)


def test_impartial_weights_are_the_papers_where_none_is_negative():
    rows = gradients("alike", 4) + 2 * np.eye(4, 11)
    units = rows / lengths(rows)[:, None]
    # Liu et al. 2021, eq. 6: alpha_2.. = g_1 U' (D U')^-1, alpha_1 = 1 - their sum.
    differences, across = rows[0] - rows[1:], units[0] - units[1:]
    others = rows[0] @ across.T @ np.linalg.inv(differences @ across.T)
    want = np.append(1 - others.sum(), others)
    assert (want > 0).all()
    np.testing.assert_allclose(weights(ImpartialGradients(), rows), want, rtol=1e-3)


def test_an_impartial_direction_descends_where_the_papers_climbs():
    # C = [[1, .8], [.8, 1]] and b = (1, 1) / 1.8; beside a third, b has a negative part whose
    # gradient is short: the paper's weights sum to less than 0.
    units = np.array([[1.0, 0.0, 0.1], [0.9, 0.4, 0.1], [0.9, -0.4, 0.1], [1.0, 0.0, 0.0]])
    units /= lengths(units)[:, None]
    shares = np.linalg.solve((units @ units.T)[:3, :3], np.ones(3))
    short = np.where(shares < 0, 1e-2, 1.0)
    assert (shares / short).sum() < 0
    rows = units[:3] * short[:, None]
    found = weights(ImpartialGradients(), rows)
    assert (rows @ (found @ rows)).min() > 0
    assert found.min() < 0


def test_impartial_directions_do_not_change_with_the_scale_of_a_loss():
    rows, scale = gradients("independent", 4), np.array([1.0, 1e2, 1e-2, 3.0])
    once = weights(ImpartialGradients(), rows) @ rows
    again = weights(ImpartialGradients(), scale[:, None] * rows) @ (scale[:, None] * rows)
    assert apart(again / np.linalg.norm(again), once / np.linalg.norm(once)) < 1e-3


def test_impartial_weights_of_the_same_term_twice_are_equal():
    rows = gradients("independent", 3)
    found = weights(ImpartialGradients(), np.vstack([rows, rows[0]]))
    assert found[0] == pytest.approx(found[3], rel=1e-3)


def aligned(rows, scale):
    """By the singular value decomposition of the gradients, never their Gram matrix."""
    left, values, right = np.linalg.svd(rows, full_matrices=False)
    kept = values**2 > values[0] ** 2 * len(rows) * np.finfo(np.float32).eps
    sigma = {
        "min": values[kept][-1],
        "median": np.sort(values[kept])[(kept.sum() - 1) // 2],
        "rmse": np.sqrt((values[kept] ** 2).mean()),
    }[scale]
    return sigma * (left[:, kept] @ right[kept]).sum(axis=0)


@pytest.mark.parametrize("scale", ["min", "median", "rmse"])
@pytest.mark.parametrize(("kind", "terms"), [("independent", 2), ("alike", 5), ("dependent", 40)])
def test_aligned_components_have_one_length(scale, kind, terms):
    rows = gradients(kind, terms, seed=8)
    found = weights(AlignedMTL(scale), rows)
    assert apart(found @ rows, aligned(rows, scale)) < 2e-2


def test_orthogonal_gradients_are_aligned_to_the_shortest():
    # B = sigma / |g_i| on the diagonal.
    found = weights(AlignedMTL(), np.diag([2.0, 0.5, 1.0]))
    np.testing.assert_allclose(found, [0.25, 1.0, 0.5], rtol=1e-5)


@pytest.mark.parametrize("method", [CAGrad, ImpartialGradients, AlignedMTL])
def test_who_has_no_gradient_takes_no_part(method):
    rows = gradients("independent", 4)
    rows[2] = 0.0
    want = weights(method(), np.delete(rows, 2, axis=0))
    for present in (np.ones(4), np.array([1, 1, 0, 1])):
        got = weights(method(), rows, present=present)
        assert got[2] == pytest.approx(0.0, abs=1e-6)
        np.testing.assert_allclose(np.delete(got, 2), want, rtol=2e-4, atol=1e-6)
    assert not weights(method(), np.zeros((3, 2))).any()


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        (CAGrad, {"c": -0.1}, "c of CAGrad must be finite and >= 0, got -0.1"),
        (CAGrad, {"c": np.inf}, "c of CAGrad must be finite"),
        (CAGrad, {"rescale": "half"}, r"rescale of CAGrad must be one of .*got 'half'"),
        (CAGrad, {"scope": "features"}, r"scope of CAGrad must be one of \('shared'"),
        (AlignedMTL, {"scale": "max"}, r"scale of AlignedMTL must be one of .*got 'max'"),
    ],
)
def test_options_out_of_range(method, options, message):
    with pytest.raises(ValueError, match=message):
        method(**options)
