"""What every balancing method keeps to; a new entry of BALANCING is tested by being there."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.balancing import BALANCING, LossBalancing
from mtl_dm.models import MultiTaskModel
from mtl_dm.tasks import Task

every_method = pytest.mark.parametrize("name", list(BALANCING))
LOSSES = {"expression": 1.5, "action_units": 0.25, "distribution_matching": 3.0}


def prepared(name):
    method = BALANCING.get(name)()
    method.prepare(list(LOSSES))
    return method


def combine(method, losses):
    objective = method.combine({key: tf.constant(value) for key, value in losses.items()})
    assert objective.dtype == "float32"
    assert objective.shape == ()
    return float(objective)


@every_method
def test_is_a_layer_that_needs_no_argument(name):
    assert isinstance(BALANCING.get(name)(), LossBalancing)


@every_method
def test_starts_as_a_homogeneous_function_of_the_losses(name):
    # Twice the losses, twice the objective: before anything is learned, the unit has no meaning.
    once = combine(prepared(name), LOSSES)
    twice = combine(prepared(name), {key: 2 * value for key, value in LOSSES.items()})
    assert np.isfinite(once)
    assert twice == pytest.approx(2 * once, rel=1e-6)


@every_method
def test_every_term_is_minimised(name):
    method = prepared(name)
    losses = {key: tf.constant(value) for key, value in LOSSES.items()}
    with tf.GradientTape() as tape:
        tape.watch(losses)
        objective = method.combine(losses)
    assert all(float(gradient) > 0 for gradient in tape.gradient(objective, losses).values())


@every_method
def test_the_order_of_the_terms_does_not_matter(name):
    backwards = dict(reversed(LOSSES.items()))
    assert combine(prepared(name), backwards) == pytest.approx(
        combine(prepared(name), LOSSES), rel=1e-6
    )


@every_method
@pytest.mark.parametrize("value", [0.0, 1e4])
def test_finite_when_a_term_is_absent_or_huge(name, value):
    assert np.isfinite(combine(prepared(name), {**LOSSES, "action_units": value}))


@every_method
def test_terms_that_are_off_move_no_weight_of_the_method(name):
    method = prepared(name)
    with tf.GradientTape() as tape:
        objective = method.combine({key: tf.constant(0.0) for key in LOSSES})
    weights = [variable.value for variable in method.trainable_variables]
    for gradient in tape.gradient(objective, weights, unconnected_gradients="zero"):
        assert float(gradient) == 0.0


@every_method
def test_a_single_term(name):
    method = BALANCING.get(name)()
    method.prepare(["expression"])
    assert np.isfinite(combine(method, {"expression": 2.0}))


@every_method
def test_config_round_trip_through_json(name):
    method = prepared(name)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(method)))
    copy = keras.saving.deserialize_keras_object(config)
    assert type(copy) is type(method)
    assert copy.get_config() == method.get_config()
    copy.prepare(list(LOSSES))
    assert combine(copy, LOSSES) == combine(method, LOSSES)


@every_method
def test_own_weights_stay_float32_under_half_precision(name):
    keras.config.set_dtype_policy("mixed_float16")
    method = prepared(name)
    assert {str(variable.dtype) for variable in method.variables} <= {"float32"}
    assert np.isfinite(combine(method, LOSSES))


def model_with(name, run_eagerly):
    tasks = [Task.multiclass("kind", ["a", "b"]), Task.regression("size", ["height"])]
    backbone = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation="relu")])
    model = MultiTaskModel(backbone, tasks, balancing=BALANCING.get(name)())
    model.compile(optimizer=keras.optimizers.Adam(0.01), jit_compile=False, run_eagerly=run_eagerly)
    return model


def batch():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8, 3)).astype(np.float32)
    labels = {"kind": np.eye(2)[rng.integers(0, 2, 8)], "size": rng.normal(size=(8, 1))}
    masks = {"kind": np.ones(8), "size": np.ones((8, 1))}
    return tf.data.Dataset.from_tensors((x, labels, masks))


@every_method
def test_trains_a_model_that_is_saved_and_read_back(name, tmp_path):
    model = model_with(name, run_eagerly=False)
    history = model.fit(batch(), epochs=3, verbose=0, shuffle=False).history
    assert np.isfinite(history["loss"]).all()
    assert history["kind_loss"][-1] + history["size_loss"][-1] < (
        history["kind_loss"][0] + history["size_loss"][0]
    )
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    assert type(copy.balancing) is type(model.balancing)
    for got, want in zip(copy.balancing.weights, model.balancing.weights, strict=True):
        np.testing.assert_array_equal(got, want)
    assert copy.evaluate(batch(), verbose=0, return_dict=True)["loss"] == pytest.approx(
        model.evaluate(batch(), verbose=0, return_dict=True)["loss"], rel=1e-6
    )


@every_method
def test_own_trainable_weights_are_learned_with_the_network(name):
    model = model_with(name, run_eagerly=True)
    before = [each.numpy() for each in model.balancing.trainable_variables]
    paths = {each.path for each in model.trainable_variables}
    assert {each.path for each in model.balancing.trainable_variables} <= paths
    model.fit(batch(), epochs=2, verbose=0, shuffle=False)
    for old, new in zip(before, model.balancing.trainable_variables, strict=True):
        assert np.any(old != new.numpy()), new.path


def test_unknown_method_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"Unknown balancing method 'x'\. Known: .*total"):
        BALANCING.get("x")
