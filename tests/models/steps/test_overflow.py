"""A step whose scaled gradients overflow float16 is skipped, and nobody remembers it."""

import keras
import numpy as np
import pytest

from mtl_dm.balancing import BALANCING
from tests.balancing.methods import USERS
from tests.models.cases import AFFECT, EXPRESSION, UNITS, coupled_model, dataset, random_batch
from tests.models.providers import Centre

METHODS = {**{name: BALANCING.get(name) for name in BALANCING}, **USERS}
TASKS = (EXPRESSION, UNITS, AFFECT)


@pytest.mark.parametrize("name", list(METHODS))
def test_skipped_and_forgotten(name):
    keras.config.set_dtype_policy("mixed_float16")
    model = coupled_model(tasks=TASKS, balancing=METHODS[name](), terms=[Centre()])
    model(np.zeros((1, 3), np.float32))
    optimizer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.1), initial_scale=2.0**40
    )
    model.compile(optimizer, run_eagerly=True)
    stream = dataset(random_batch(8, seed=3, tasks=TASKS), 8)
    kept = [*model.trainable_variables, *model.balancing.variables]
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
    memory = model.balancing.variables
    at = len(model.trainable_variables)
    if memory:
        assert any(np.any(old != new) for old, new in zip(before[at:], after[at:], strict=True)), (
            "a step that is taken is remembered"
        )


@pytest.mark.parametrize("name", ["after", "losses"])
def test_a_loss_that_is_not_finite_is_forgotten(name):
    model = coupled_model(balancing=METHODS[name]())
    x, labels, masks = random_batch(8)
    model(x)
    model.compile("sgd", run_eagerly=True)
    x[0] = np.inf
    model.fit(dataset((x, labels, masks), 8), verbose=0, shuffle=False)
    for variable in model.balancing.variables:
        assert np.isfinite(keras.ops.convert_to_numpy(variable)).all()
