"""What every balancing method keeps to; a new entry of BALANCING is tested by being there."""

import json

import keras
import numpy as np
import pytest

from mtl_dm.balancing import BALANCING, Balancing
from tests.balancing.alone import NAMES, memory_of, prepare, seen, take
from tests.balancing.methods import ALL as METHODS
from tests.balancing.methods import one_a_kind
from tests.models.cases import (
    AFFECT,
    EXPRESSION,
    UNITS,
    coupled_model,
    dataset,
    random_batch,
)

# Those of users too: the suite must ask for nothing that a fair method cannot keep.
every_method = pytest.mark.parametrize("name", list(METHODS))
TASKS = (EXPRESSION, UNITS, AFFECT)


def prepared(name, names=NAMES):
    return prepare(METHODS[name](), names)


@every_method
def test_is_a_layer_that_needs_no_argument_and_passes_its_check(name):
    assert isinstance(METHODS[name](), Balancing)
    prepared(name).check()


@every_method
def test_gives_finite_weights_a_term(name):
    method = prepared(name)
    for seed in range(4):
        weights = take(method, seen(seed=seed))
        assert weights.shape == (len(NAMES),)
        assert weights.dtype == np.float32
        assert np.isfinite(weights).all()
        assert method.signed or (weights >= 0).all()
        assert weights.any()


@every_method
def test_the_order_of_the_terms_does_not_matter(name):
    one, other = prepared(name), prepared(name, NAMES[::-1])
    for seed in range(3):
        steps = seen(seed=seed), seen(NAMES[::-1], seed)
        np.testing.assert_allclose(
            take(one, steps[0]), take(other, steps[1])[::-1], rtol=1e-4, atol=1e-5
        )
        owns = [method.own_loss(step) for method, step in zip((one, other), steps, strict=True)]
        if owns[0] is not None:
            assert float(owns[0]) == pytest.approx(float(owns[1]), rel=1e-5)


@every_method
def test_an_absent_term_takes_no_part(name):
    # It changes nothing for the others, and nothing of what is remembered of it.
    here = tuple(each for each in NAMES if each != "action_units")
    whole, without = prepared(name), prepared(name, here)
    place = NAMES.index("action_units")
    before = [each[place] for each in memory_of(whole) if each.shape == (len(NAMES),)]
    for seed in range(3):
        got = take(whole, seen(seed=seed, absent=["action_units"]))
        want = take(without, seen(here, seed))
        np.testing.assert_allclose(np.delete(got, place), want, rtol=1e-5, atol=1e-6)
    after = [each[place] for each in memory_of(whole) if each.shape == (len(NAMES),)]
    assert after == before


@every_method
def test_an_absent_term_has_no_part_in_the_methods_own_loss(name):
    method = prepared(name)
    for variable in method.trainable_variables:
        variable.assign(keras.ops.full(variable.shape, 0.5))
    own = method.own_loss(seen(absent=NAMES))
    assert own is None or float(own) == 0.0


@every_method
def test_finite_where_no_term_is_present_and_afterwards(name):
    method = prepared(name)
    assert np.isfinite(take(method, seen(absent=NAMES))).all()
    weights = take(method, seen())
    assert np.isfinite(weights).all()
    assert weights.any()
    assert all(np.isfinite(each).all() for each in memory_of(method))


@every_method
def test_a_single_term(name):
    method = prepared(name, NAMES[:1])
    for seed in range(2):
        assert np.isfinite(take(method, seen(NAMES[:1], seed))).all()


@every_method
@pytest.mark.parametrize("size", [1e-6, 1e4])
def test_finite_for_tiny_and_for_huge_losses(name, size):
    method = prepared(name)
    for seed in range(2):
        assert np.isfinite(take(method, seen(seed=seed, size=size))).all()
    assert all(np.isfinite(each).all() for each in memory_of(method))


@every_method
def test_every_replica_comes_to_the_same_memory_by_itself(name):
    # As `Balancing.memory` makes it. A step on replicas: tests/models/steps/test_same.py.
    for variable in prepared(name).non_trainable_variables:
        assert variable.aggregation == "only_first_replica", variable.path


@every_method
def test_config_round_trip_through_json(name):
    method = prepared(name)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(method)))
    copy = keras.saving.deserialize_keras_object(config)
    assert type(copy) is type(method)
    assert copy.get_config() == method.get_config()
    prepare(copy)
    np.testing.assert_array_equal(take(copy, seen()), take(method, seen()))


@every_method
def test_own_weights_stay_float32_under_half_precision(name):
    keras.config.set_dtype_policy("mixed_float16")
    method = prepared(name)
    assert {str(variable.dtype) for variable in method.variables} <= {"float32"}
    assert np.isfinite(take(method, seen())).all()


def model_with(name, **options):
    """A model of three tasks and a coupling, of one batch after another without affect."""
    model = coupled_model(tasks=TASKS, balancing=METHODS[name](**options))
    model(keras.ops.zeros((1, 3)))
    model.compile(keras.optimizers.Adam(0.02), run_eagerly=True)
    return model


def stream():
    x, labels, masks = random_batch(24, seed=3, junk=np.nan, tasks=TASKS)
    masks["affect"][:12] = 0
    return dataset((x, labels, masks), 12)


def fit(model, epochs):
    return model.fit(stream(), epochs=epochs, verbose=0, shuffle=False).history


@every_method
def test_trains_a_model_that_learns_is_saved_read_back_and_resumed(name, tmp_path):
    # One training serves all of it: each step of so many methods counts.
    model = model_with(name)
    method = model.balancing
    learned = [keras.ops.convert_to_numpy(each) for each in method.trainable_variables]
    paths = {each.path for each in model.trainable_variables}
    assert {each.path for each in method.trainable_variables} <= paths
    first = fit(model, 2)
    for old, new in zip(learned, method.trainable_variables, strict=True):
        assert np.any(old != keras.ops.convert_to_numpy(new)), new.path

    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    copy.run_eagerly = True
    assert type(copy.balancing) is METHODS[name]
    assert copy.balancing.names == method.names
    last, resumed = fit(model, 1), fit(copy, 1)
    assert set(resumed) == set(last)
    for got, want in zip(copy.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)

    assert all(np.isfinite(history["loss"]).all() for history in (first, last))
    terms = [each.name for each in TASKS]
    assert sum(last[f"{each}_loss"][-1] for each in terms) < sum(
        first[f"{each}_loss"][0] for each in terms
    )


@pytest.mark.parametrize("name", one_a_kind(METHODS))
def test_balances_the_tasks_alone(name):
    model = model_with(name, balances="tasks")
    assert model.balancing.names == tuple(task.name for task in TASKS)
    history = model.fit(stream().take(1), verbose=0, shuffle=False).history
    assert np.isfinite(history["distribution_matching_loss"]).all()


def test_unknown_method_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"Unknown balancing method 'x'\. Known: .*equal"):
        BALANCING.get("x")
