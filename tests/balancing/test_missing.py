"""Unbiased under missing labels: proved by going through every pattern of labels."""

import itertools

import keras
import numpy as np
import pytest

from mtl_dm.balancing import BALANCING, Seen
from mtl_dm.balancing._missing import positive, whole
from tests.models.cases import coupled_model, dataset, random_batch

NAMES = ("a", "b", "c")
RATES = np.array([0.25, 0.5, 1.0])
RNG = np.random.default_rng(0)
GRADIENTS = RNG.normal(size=(3, 4))
LOSSES = np.array([0.5, 1.5, 2.5])
SUBJECTS = {
    "equal": {},
    "static": {"a": 3.0},
    "uncertainty": {},
    "mgda": {},
    "gradnorm": {},
    "gls": {},
}
"""One for each thing that a method may see, and a solver."""


def tensor(array):
    return keras.ops.convert_to_tensor(np.asarray(array, np.float32))


def seen(present):
    present = np.asarray(present, np.float64)
    rows = GRADIENTS * present[:, None]
    return Seen(NAMES, tensor(LOSSES * present), tensor(present), tensor(rows @ rows.T))


def patterns():
    """Every pattern of labels as often as its probability has it: c is always labelled."""
    found = []
    for present in itertools.product((0, 1), repeat=3):
        chance = np.prod(np.where(present, RATES, 1 - RATES))
        found += [present] * round(8 * chance)
    return found


SINGLE = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def made(name, **options):
    method = BALANCING.get(name)(unbiased=True, **SUBJECTS.get(name, options))
    method.prepare(NAMES)
    return method


def direction(weights, present):
    weights = np.ones(3) if weights is None else keras.ops.convert_to_numpy(weights)
    return (weights * np.asarray(present)) @ GRADIENTS


@pytest.mark.parametrize("name", list(SUBJECTS))
def test_the_expected_direction_is_the_fully_annotated_one(name):
    method = made(name)
    for present in patterns():
        method.learn(seen(present))
    # What the method itself has learnt of steps stays as it is: the weights are judged, not it.
    everything = direction(method.weigh(seen([1, 1, 1])), [1, 1, 1])
    every = [direction(method.balance(seen(each)), each) for each in patterns()]
    np.testing.assert_allclose(np.mean(every, axis=0), everything, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", ["gls", "mgda", "db_mtl"])
def test_heads_follow_in_expectation_too(name):
    method = made(name)
    for present in patterns():
        method.learn(seen(present))
    full = seen([1, 1, 1])
    want = method.for_heads(method.weigh(full), full)
    every = [method.balance_heads(method.balance(seen(each)), seen(each)) for each in patterns()]
    got = np.mean([keras.ops.convert_to_numpy(each) for each in every], axis=0)
    np.testing.assert_allclose(got, want, rtol=2e-4)


def test_every_task_has_its_turn_where_they_never_come_together():
    method, turns = made("one_task"), []
    for present in SINGLE:
        method.learn(seen(present))
    method.served.assign([0.0, 0.0, 0.0])
    for present in SINGLE * 4:
        step = whole(method._before(), seen(present))
        turns.append(int(keras.ops.argmax(method.weigh(step))))
        method.learn(seen(present))
    assert [sorted(turns[at : at + 3]) for at in range(0, 12, 3)] == [[0, 1, 2]] * 4


def test_choices_among_the_tasks_are_learned_where_they_never_come_together():
    pareto, gradnorm = made("pareto_mtl", start_steps=5), made("gradnorm")
    for present in SINGLE * 3:
        pareto.learn(seen(present))
        gradnorm.learn(seen(present))
    assert float(pareto.stage) == 1.0
    assert np.ptp(keras.ops.convert_to_numpy(gradnorm.task_weights)) > 0.01


def test_without_the_option_the_rare_task_counts_little():
    # 1/4, 1/2 and all of the batches: sum_i q_i g_i instead of sum_i g_i.
    every = [direction(None, each) for each in patterns()]
    np.testing.assert_allclose(np.mean(every, axis=0), RATES @ GRADIENTS)
    assert np.abs(np.mean(every, axis=0) - GRADIENTS.sum(axis=0)).max() > 0.1


def test_tasks_that_never_come_together_count_as_orthogonal():
    method = made("mgda")
    for present in SINGLE * 3:
        method.learn(seen(present))
    lengths = (GRADIENTS**2).sum(axis=1)
    # Of orthogonal gradients the shortest combination has weights of 1 / |g|^2.
    want = 3 * (1 / lengths) / (1 / lengths).sum()  # each comes every third step
    got = [keras.ops.convert_to_numpy(method.balance(seen(each))) for each in SINGLE]
    np.testing.assert_allclose(np.diag(got), want, rtol=1e-4)


def test_a_first_batch_counts_as_it_is():
    method = made("equal")
    got = keras.ops.convert_to_numpy(method.balance(seen([1, 0, 1])))
    np.testing.assert_allclose(got, [1, 0, 1])
    for _ in range(9):
        method.learn(seen([1, 0, 1]))
    late = keras.ops.convert_to_numpy(method.balance(seen([1, 1, 1])))
    np.testing.assert_allclose(late, [1, 1, 1])
    method.learn(seen([1, 1, 1]))
    again = keras.ops.convert_to_numpy(method.balance(seen([1, 1, 1])))
    np.testing.assert_allclose(again, [1, 10, 1], rtol=1e-5)


def test_what_a_method_charges_is_charged_in_every_step():
    # exp(-s) L / q + s / 2 in every step: absent terms pay too, else s would sink.
    method = made("uncertainty")
    for variable in method.trainable_variables:
        variable.assign(keras.ops.full(variable.shape, 0.4))
    for present in patterns():
        method.learn(seen(present))
    assert float(method.added_loss(seen([0, 0, 1]))) == pytest.approx(0.6)


def test_the_nearest_positive_matrix():
    matrix = np.array([[1.0, 2.0], [2.0, 1.0]])
    values, vectors = np.linalg.eigh(matrix)
    want = vectors @ np.diag(np.maximum(values, 0)) @ vectors.T
    np.testing.assert_allclose(positive(tensor(matrix)), want, atol=1e-6)


def test_is_resumed_from_saved_weights(tmp_path):
    keras.utils.set_random_seed(0)
    model = coupled_model(balancing=BALANCING.get("mgda")(unbiased=True))
    model(np.zeros((1, 3), np.float32))
    model.compile("sgd", run_eagerly=True)
    stream = dataset(random_batch(8), 8)
    model.fit(stream, epochs=2, verbose=0, shuffle=False)
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    copy.run_eagerly = True
    assert copy.balancing.unbiased
    for each in (model, copy):
        each.fit(stream, verbose=0, shuffle=False)
    for got, want in zip(copy.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)
