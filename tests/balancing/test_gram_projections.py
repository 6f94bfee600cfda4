"""UPGrad against SciPy's non-negative least squares, PCGrad against projections of vectors."""

import json

import keras
import numpy as np
import pytest
from scipy.optimize import nnls

from mtl_dm.balancing import PCGrad, UPGrad
from mtl_dm.balancing.nonnegative import nonnegative
from mtl_dm.balancing.pcgrad import pair_keys
from mtl_dm.draws import uniform
from tests.balancing.gradients import KINDS, apart, gradients, lengths, step, tensor, weights


def onto_dual_cone(vector, rows):
    """v + sum_j x_j g_j with x >= 0 of the least length (Moreau)."""
    found, _ = nnls(rows.T, -vector, maxiter=10000)
    return vector + found @ rows


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("terms", [2, 5, 40])
def test_upgrad_is_the_mean_of_projections(kind, terms):
    rows = gradients(kind, terms, seed=2)
    want = np.mean([onto_dual_cone(row, rows) for row in rows], axis=0)
    got = weights(UPGrad(), rows) @ rows
    assert apart(got, want) < (1e-2 if kind == "ill" else 1e-3)
    # No term is harmed.
    assert (rows @ got / lengths(rows) / np.linalg.norm(got)).min() > -2e-3


def test_the_quadratic_programs_meet_their_conditions():
    rng = np.random.default_rng(0)
    for terms in (3, 20):
        rows = rng.normal(size=(terms, terms))
        matrix = rows @ rows.T / terms + 0.01 * np.eye(terms)
        linear = rng.normal(size=(5, terms))
        x = keras.ops.convert_to_numpy(nonnegative(tensor(matrix), tensor(linear)))
        y = x @ matrix + linear
        assert (x >= 0).all()
        assert y.min() > -1e-3
        assert np.abs(x * y).max() < 1e-3 * max(1.0, np.abs(x).max())


def test_upgrad_without_conflict_is_the_mean():
    np.testing.assert_allclose(weights(UPGrad(), gradients("alike", 10)), np.full(10, 0.1))


def test_upgrad_is_linear_in_the_lengths():
    # As the paper claims (linear under scaling): A(diag(c) J) is linear in c > 0.
    rows, one, other = gradients("conflicting", 4), *np.random.default_rng(0).uniform(1, 5, (2, 4))

    def direction(scale):
        return weights(UPGrad(), scale[:, None] * rows) @ (scale[:, None] * rows)

    assert apart(direction(one + other), direction(one) + direction(other)) < 1e-4


@pytest.mark.parametrize("method", [UPGrad, PCGrad])
def test_who_has_no_gradient_takes_no_part(method):
    rows = gradients("conflicting", 4)
    rows[2] = 0.0
    names = ["a", "b", "c", "d"]
    got = weights(method(), rows, names=names)
    want = weights(method(), np.delete(rows, 2, axis=0), names=["a", "b", "d"])
    assert got[2] == 0
    np.testing.assert_allclose(np.delete(got, 2), want, rtol=1e-5)
    assert not weights(method(), np.zeros((3, 2))).any()


def orders(method, names, number):
    keys = pair_keys(method.seed, names)
    return np.argsort(keras.ops.convert_to_numpy(uniform(keys, float(number))), axis=1)


@pytest.mark.parametrize("kind", ["conflicting", "lengths", "ill"])
@pytest.mark.parametrize("terms", [2, 6])
def test_pcgrad_is_the_projection_of_vectors(kind, terms):
    rows, method = gradients(kind, terms, seed=4), PCGrad(seed=3)
    for number in range(3):
        total = np.zeros(rows.shape[1])
        got = weights(method, rows)
        for i, order in enumerate(orders(method, method.names, number)):
            left = rows[i].copy()
            for j in order:
                if j != i and left @ rows[j] < 0:
                    left -= left @ rows[j] / (rows[j] @ rows[j]) * rows[j]
            total += left
        assert apart(got @ rows, total) < 1e-4
        method.update(step(rows))


def test_pcgrad_of_two_by_hand():
    # g_1' = g_1 + g_2, since g_1 g_2 = -1 and |g_2|^2 = 1; g_2' = g_2 + g_1 / 2: weights 1.5 and 2.
    got = weights(PCGrad(), [[1.0, 1.0], [-1.0, 0.0]])
    np.testing.assert_allclose(got, [1.5, 2.0], rtol=1e-6)


def test_an_order_depends_on_seed_step_and_names_alone():
    names = [f"t{place}" for place in range(8)]
    one = keras.ops.convert_to_numpy(uniform(pair_keys(0, names), 5.0))
    assert one.min() >= 0
    assert one.max() < 1
    part = keras.ops.convert_to_numpy(uniform(pair_keys(0, names[::-2]), 5.0))
    np.testing.assert_array_equal(part, one[::-2, ::-2])
    assert (one != keras.ops.convert_to_numpy(uniform(pair_keys(1, names), 5.0))).all()
    assert (one != keras.ops.convert_to_numpy(uniform(pair_keys(0, names), 6.0))).all()


def test_orders_are_uniform():
    # Every one of three comes first equally often: 1000 +- 26 (one standard deviation) of 3000.
    keys = (
        np.tile(pair_keys(0, "abc")[None], (3000, 1, 1))
        + np.arange(3000, dtype=np.uint32)[:, None, None]
    )
    first = keras.ops.convert_to_numpy(uniform(keys, 0.0)).argmin(axis=-1)
    counts = np.stack([np.bincount(column, minlength=3) for column in first.T])
    assert np.abs(counts - 1000).max() < 4 * 26


def test_the_count_of_steps_is_saved():
    method = PCGrad()
    method.prepare(["a", "b"])
    method.update(step(np.eye(2)))
    assert [float(each) for each in method.non_trainable_variables] == [1.0]
    copy = keras.saving.deserialize_keras_object(
        json.loads(json.dumps(keras.saving.serialize_keras_object(PCGrad(seed=7))))
    )
    assert copy.seed == 7


@pytest.mark.parametrize("seed", [0.5, True, "1"])
def test_a_seed_is_an_integer(seed):
    with pytest.raises(ValueError, match="seed of pcgrad must be an integer"):
        PCGrad(seed)
