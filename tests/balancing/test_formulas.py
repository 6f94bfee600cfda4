"""Each method against its paper: formulas in NumPy and numbers by hand."""

import keras
import numpy as np
import pytest

from mtl_dm.balancing import (
    MGDA,
    EqualWeighting,
    GradNorm,
    Seen,
    StaticWeighting,
    Uncertainty,
    min_norm_weights,
)
from mtl_dm.balancing.gradnorm import stepped

NAMES = ("a", "b", "c")


def tensor(values):
    return keras.ops.convert_to_tensor(np.asarray(values, np.float32))


def seen(losses=(1.0, 2.0, 3.0), present=(1, 1, 1), gram=None):
    return Seen(NAMES, tensor(losses), tensor(present), None if gram is None else tensor(gram))


def numpy(values):
    return keras.ops.convert_to_numpy(values)


def prepared(method):
    method.prepare(NAMES)
    return method


def test_equal_weighting_has_no_weights_at_all():
    assert prepared(EqualWeighting()).weigh(seen()) is None


def test_static_weights_by_name_and_1_elsewhere():
    method = prepared(StaticWeighting(c=0.5, a=2))
    np.testing.assert_array_equal(numpy(method.weigh(seen())), [2.0, 1.0, 0.5])


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf, "2", None])
def test_a_static_weight_is_a_finite_number(weight):
    with pytest.raises(ValueError, match="static weight of 'a' must be a finite number >= 0"):
        StaticWeighting(a=weight)


def test_a_static_weight_of_no_term_lists_the_terms():
    with pytest.raises(ValueError, match=r"name \['d'\], but the terms are \['a', 'b', 'c'\]"):
        prepared(StaticWeighting(d=1.0))


def test_uncertainty_by_kendalls_formula():
    # With sigma_i: L_i / sigma_i^2 + log sigma_i; an absent term pays no log.
    method, sigmas = prepared(Uncertainty()), np.array([1.0, 2.0, 0.5])
    for variable, sigma in zip(method.log_variances.values(), sigmas, strict=True):
        variable.assign(np.log(sigma**2))
    step = seen(present=(1, 1, 0))
    np.testing.assert_allclose(numpy(method.weigh(step)), 1 / sigmas**2, rtol=1e-6)
    assert float(method.own_loss(step)) == pytest.approx(np.log(sigmas[:2]).sum(), rel=1e-6)


GRADIENTS = np.array([[3.0, 0.0, 1.0], [0.0, 0.5, 0.2], [-1.0, 1.0, 2.0]])
LOSSES = np.array([1.0, 4.0, 0.25])


@pytest.mark.parametrize(
    ("normalization", "divisor"),
    [
        ("none", np.ones(3)),
        ("l2", np.linalg.norm(GRADIENTS, axis=1)),
        ("loss", LOSSES),
        ("loss+", LOSSES * np.linalg.norm(GRADIENTS, axis=1)),
    ],
)
def test_mgda_normalises_before_it_looks_for_the_shortest(normalization, divisor):
    method = prepared(MGDA(normalization))
    rows = GRADIENTS / divisor[:, None]
    want = numpy(min_norm_weights(tensor(rows @ rows.T), tensor(np.ones(3))))
    got = numpy(method.weigh(seen(LOSSES, gram=GRADIENTS @ GRADIENTS.T)))
    np.testing.assert_allclose(got, want, atol=1e-5)
    # At the shortest all that have weight lie equally far along it, the others farther.
    along = rows @ (got @ rows)
    assert along[got > 1e-4] == pytest.approx(along.min(), abs=1e-4 * (rows**2).sum())


def test_mgda_refuses_unknown_names():
    with pytest.raises(ValueError, match=r"normalization must be one of .*'loss\+'.*got 'l1'"):
        MGDA("l1")
    with pytest.raises(ValueError, match=r"scope of MGDA must be one of .*got 'rows'"):
        MGDA(scope="rows")


def chen(weights, norms, ratios, alpha, rate):
    """Algorithm 1 of Chen et al. 2018 with plain gradient descent, step by step."""
    g = weights * norms
    r = ratios / ratios.mean()
    target = g.mean() * r**alpha
    gradient = np.array([np.sign(g[i] - target[i]) * norms[i] for i in range(len(g))])
    moved = weights - rate * gradient
    return len(g) * moved / moved.sum()


def test_gradnorms_step_as_chens():
    rng = np.random.default_rng(0)
    for _ in range(20):
        weights = rng.dirichlet(np.ones(4)) * 4 + 0.2
        weights *= 4 / weights.sum()
        norms, ratios = rng.uniform(0.1, 3, 4), rng.uniform(0.2, 1.5, 4)
        got = stepped(*map(tensor, (weights, norms, ratios, np.ones(4))), 1.5, 0.01)
        np.testing.assert_allclose(
            numpy(got), chen(weights, norms, ratios, 1.5, 0.01), rtol=1e-5, atol=1e-6
        )


def test_gradnorm_by_hand():
    # Weights 1 and 1, norms 2 and 4, both at half their first loss: r = 1, mean G = 3. The first
    # is below its target, the second above: w = 1 + 0.1 * 2 and 1 - 0.1 * 4, scaled to sum to 2.
    got = numpy(stepped(*map(tensor, ([1, 1], [2, 4], [0.5, 0.5], [1, 1])), 1.5, 0.1))
    np.testing.assert_allclose(got, 2 * np.array([1.2, 0.6]) / 1.8, rtol=1e-6)
    # The second has learned nothing yet: r = (2/3, 4/3), targets with alpha 1: 2 and 4, as they
    # are: no step.
    got = numpy(stepped(*map(tensor, ([1, 1], [2, 4], [0.5, 1.0], [1, 1])), 1.0, 0.1))
    np.testing.assert_allclose(got, [1.0, 1.0], atol=1e-6)


def test_gradnorm_remembers_the_first_loss_of_each_term():
    method = prepared(GradNorm())
    gram = np.diag([1.0, 4.0, 9.0])
    method.update(seen((2.0, 0.0, 5.0), (1, 0, 1), gram))
    np.testing.assert_array_equal(numpy(method.first_losses), [2.0, 0.0, 5.0])
    method.update(seen((1.0, 3.0, 4.0), (1, 1, 1), gram))
    np.testing.assert_array_equal(numpy(method.first_losses), [2.0, 3.0, 5.0])
    assert numpy(method.task_weights).sum() == pytest.approx(3.0, rel=1e-5)


def test_a_weight_of_gradnorm_stays_positive():
    got = numpy(stepped(*map(tensor, ([1, 1], [1, 1e4], [1, 1], [1, 1])), 1.5, 0.5))
    assert (got > 0).all()
    assert got.sum() == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": -1}, "alpha of GradNorm must be finite and >= 0, got -1"),
        ({"alpha": np.inf}, "alpha of GradNorm"),
        ({"learning_rate": 0}, "learning_rate of GradNorm must be finite and > 0, got 0"),
        ({"balances": "heads"}, r"balances must be one of \('all', 'tasks'\), got 'heads'"),
    ],
)
def test_gradnorm_refuses_numbers_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        GradNorm(**options)


def test_mgda_leaves_out_a_term_without_a_gradient():
    # Alone it would be the shortest combination, and the network would stand still.
    gram = np.diag([4.0, 0.0, 1.0]).astype(np.float32)
    method = MGDA()
    method.prepare(["a", "b", "c"])
    seen = Seen(("a", "b", "c"), np.ones(3, np.float32), np.ones(3, np.float32), gram)
    np.testing.assert_allclose(numpy(method.weigh(seen)), [0.2, 0.0, 0.8], atol=1e-5)


def test_gradnorm_starts_a_term_at_its_first_loss_above_0():
    method = GradNorm()
    method.prepare(["a", "b"])
    ones = np.ones(2, np.float32)
    for losses, want in (
        ([0.0, 2.0], [0.0, 2.0]),
        ([3.0, 1.0], [3.0, 2.0]),
        ([9.0, 9.0], [3.0, 2.0]),
    ):
        method.update(Seen(("a", "b"), np.array(losses, np.float32), ones, np.eye(2, dtype="f")))
        np.testing.assert_array_equal(numpy(method.first_losses), want)
        assert np.isfinite(numpy(method.task_weights)).all()
        assert numpy(method.task_weights).sum() == pytest.approx(2.0, rel=1e-6)
