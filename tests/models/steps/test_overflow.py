"""A step whose scaled gradients overflow float16 is skipped, and nobody remembers it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.models import Coupling
from mtl_dm.models.steps.tensorflow_step import _kept
from tests.balancing.methods import ALL, USERS, one_a_kind
from tests.models.cases import (
    AFFECT,
    EXPRESSION,
    TABLE,
    UNITS,
    coupled_model,
    dataset,
    random_batch,
)
from tests.models.providers import Centre

METHODS = one_a_kind(ALL)
TASKS = (EXPRESSION, UNITS, AFFECT)


@pytest.mark.parametrize("name", list(METHODS))
def test_skipped_and_forgotten(name):
    keras.config.set_dtype_policy("mixed_float16")
    couplings = [Coupling(relatedness=TABLE)]  # Behind a gradient gate, which remembers too.
    model = coupled_model(
        couplings=couplings, tasks=TASKS, balancing=METHODS[name](), terms=[Centre()]
    )
    model(np.zeros((1, 3), np.float32))
    optimizer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.1), initial_scale=2.0**40
    )
    model.compile(optimizer, run_eagerly=True)
    stream = dataset(random_batch(8, seed=3, tasks=TASKS), 8)
    memory = [*model.balancing.variables, *(w for g in model.gates.values() for w in g.weights)]
    kept = [*model.trainable_variables, *memory]
    before = [keras.ops.convert_to_numpy(each) for each in kept]
    model.fit(stream, verbose=0, shuffle=False)
    assert float(optimizer.dynamic_scale.numpy()) == 2.0**39
    for old, variable in zip(before, kept, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), old, variable.path)

    optimizer.dynamic_scale.assign(8.0)
    model.fit(stream, verbose=0, shuffle=False)
    after = [keras.ops.convert_to_numpy(each) for each in kept]
    assert all(np.isfinite(each).all() for each in after)
    assert any(np.any(old != new) for old, new in zip(before, after, strict=True))
    at = len(model.trainable_variables)
    assert any(np.any(old != new) for old, new in zip(before[at:], after[at:], strict=True)), (
        "a step that is taken is remembered"
    )


@pytest.mark.parametrize("name", [name for name in METHODS if METHODS[name]().wants_losses])
def test_a_loss_that_is_not_finite_is_named_and_changes_nothing(name):
    model = coupled_model(tasks=TASKS, balancing=METHODS[name]())
    x, labels, masks = random_batch(8, tasks=TASKS)
    model(x)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), run_eagerly=True)
    good = dataset((x, labels, masks), 8)
    model.fit(good, verbose=0, shuffle=False)  # The optimizer has momentum now.
    labels["affect"][5], masks["affect"][5] = np.inf, 1
    model.balancing.begin_epoch()  # Which may change it, and once only.
    before = [keras.ops.convert_to_numpy(each) for each in model.variables]
    with pytest.raises(ValueError, match=r"loss of affect \((inf|nan)\).*step 1 of epoch 1"):
        model.fit(dataset((x, labels, masks), 8), verbose=0, shuffle=False)
    trackers = {id(each) for each in model.metrics_variables}
    for old, variable in zip(before, model.variables, strict=True):
        if id(variable) not in trackers:
            np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), old, variable.path)


def test_a_compiled_step_keeps_the_weights_too():
    model = coupled_model(tasks=TASKS, balancing=USERS["losses"]())
    x, labels, masks = random_batch(8, tasks=TASKS)
    labels["affect"][5], masks["affect"][5] = np.inf, 1
    model(x)
    model.compile(keras.optimizers.Adam(0.1), jit_compile=False)
    before = model.get_weights()
    with pytest.raises(ValueError, match="loss of affect"):
        model.fit(dataset((x, labels, masks), 8), verbose=0, shuffle=False)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


@pytest.mark.parametrize("keep", [0.0, np.nan])
def test_a_sparse_gradient_that_is_not_finite_is_replaced_too(keep):
    gradient = tf.IndexedSlices(tf.constant([[np.nan], [1.0]]), tf.constant([0, 2]))
    for finite, want in ((True, [[np.nan], [1.0]]), (False, [[keep], [keep]])):
        got = _kept(gradient, tf.constant(finite), tf.constant(keep))
        np.testing.assert_array_equal(got.values, want)
        np.testing.assert_array_equal(got.indices, [0, 2])
