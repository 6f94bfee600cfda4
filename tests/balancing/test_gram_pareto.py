"""Pareto MTL against vectors on the quarter circle and the gradients themselves."""

import json

import keras
import numpy as np
import pytest
from scipy.optimize import nnls

from mtl_dm.balancing import ParetoMTL
from mtl_dm.balancing.pareto_mtl import constraints
from tests.balancing.gradients import apart, gradients, step, tensor, weights


def shortest(vectors):
    heavy = 1e4 * np.sqrt((vectors**2).sum(axis=1).mean())
    matrix = np.vstack([vectors.T, np.full(len(vectors), heavy)])
    found, _ = nnls(matrix, np.append(np.zeros(vectors.shape[1]), heavy))
    return found / found.sum()


def circle(count):
    """The authors' preference vectors for two terms."""
    angles = np.linspace(0, np.pi / 2, count)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def turned(preference, count):
    rows = constraints(
        tensor(preference), tensor(np.ones(len(preference))), np.pi / 2 / (count - 1)
    )
    return keras.ops.convert_to_numpy(rows)


@pytest.mark.parametrize("place", [0, 1, 2, 4])
def test_the_neighbours_of_two_terms_are_the_authors_vectors(place):
    vectors = circle(5)
    rows = turned(3.0 * vectors[place], 5)
    for row, neighbour in zip(rows, (place - 1, place + 1), strict=True):
        if 0 <= neighbour < 5:
            np.testing.assert_allclose(row, vectors[neighbour] - vectors[place], atol=1e-6)
        else:
            np.testing.assert_array_equal(row, 0)  # On the axis already.


def test_neighbours_of_many_terms_are_unit_vectors_at_one_angle():
    unit = np.array([1.0, 2.0, 2.0]) / 3
    neighbours = turned([1.0, 2.0, 2.0], 4) + unit
    np.testing.assert_allclose(np.linalg.norm(neighbours, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(neighbours @ unit, np.cos(np.pi / 6), rtol=1e-6)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("losses", [(1.0, 1.7), (0.9, 0.4)])
def test_two_terms_move_as_the_authors(first, losses):
    rows, losses, vectors = (
        np.array([[1.0, 0.2, 0.0], [-0.3, 0.9, 0.4]]),
        np.array(losses),
        circle(5),
    )
    method = ParetoMTL(vectors=5, t0=vectors[2, 0], t1=vectors[2, 1])
    method.prepare(["t0", "t1"])
    method.stage.assign(0.0 if first else 1.0)
    # Only the nearest neighbour's constraint is active for either.
    toward = vectors - vectors[2]
    active = toward[toward @ losses / np.linalg.norm(losses) > 0]
    assert len(active) == 1
    rays = active if first else np.vstack([np.eye(2), active])
    want = shortest(rays @ rows) @ rays
    want = want if first else 2 * want / np.abs(want).sum()
    np.testing.assert_allclose(weights(method, rows, losses=losses), want, atol=1e-3)


def test_a_feasible_step_is_that_of_mgda_scaled():
    rows = gradients("independent", 3)
    found = weights(ParetoMTL(), rows)  # Equal losses, equal preference.
    want = shortest(rows)
    assert apart(found, 3 * want / want.sum()) < 1e-2


def test_the_first_stage_restores_the_proportion():
    # Orthogonal gradients: loss 0 is too large, and falls, while loss 1, too small, may rise.
    found = weights(ParetoMTL(vectors=5), np.eye(2), losses=[2.0, 0.5])
    assert found[0] > 0 > found[1]


def test_stages_end_where_no_constraint_is_active_or_steps_run_out():
    def prepared(**options):
        method = ParetoMTL(vectors=5, **options)
        method.prepare(["t0", "t1"])
        return method

    def memory(method):
        return [float(each) for each in method.non_trainable_variables]

    far = step(np.eye(2), losses=[2.0, 0.5])
    method = prepared()
    method.update(far)
    assert memory(method) == [0.0, 1.0]
    # Of one term alone there is no proportion: neither a step nor an end.
    method.update(step(np.eye(2), losses=[1.0, 0.0], present=[1, 0]))
    assert memory(method) == [0.0, 1.0]
    method.update(step(np.eye(2)))
    assert memory(method)[0] == 1.0
    method.update(far)  # It stays.
    assert memory(method)[0] == 1.0
    method = prepared(start_steps=2)
    for stage in (0.0, 1.0):
        method.update(far)
        assert memory(method)[0] == stage


def test_who_is_absent_has_no_preference():
    rows = gradients("independent", 3)
    losses = np.array([2.0, 0.0, 0.3])
    got = weights(ParetoMTL(t0=2, t2=1), rows, losses=losses, present=[1, 0, 1])
    names = ("t0", "t2")
    want = weights(ParetoMTL(t0=2, t2=1), rows[[0, 2]], losses=losses[[0, 2]], names=names)
    np.testing.assert_allclose(got, [want[0], 0.0, want[1]], atol=1e-5)
    assert not weights(ParetoMTL(), np.zeros((2, 2))).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"a": -1.0}, "preference of 'a' must be a finite number >= 0, got -1.0"),
        ({"a": "1"}, "preference of 'a' must be"),
        ({"vectors": 1}, "vectors of ParetoMTL must be >= 2, got 1"),
        ({"start_steps": -1}, "start_steps of ParetoMTL must be >= 0, got -1"),
        ({"c": 1.0}, r"preferences name \['c'\], but the terms are \['a', 'b'\]"),
        ({"a": 0.0, "b": 0.0}, "preference of ParetoMTL must be > 0, got"),
    ],
)
def test_preferences_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        ParetoMTL(**options).prepare(["a", "b"])


def test_the_preference_survives_json():
    method = ParetoMTL(a=2.0, vectors=4)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(method)))
    assert keras.saving.deserialize_keras_object(config).get_config() == method.get_config()
