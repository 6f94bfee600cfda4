import keras
import numpy as np
import pytest

from mtl_dm.training.optimizers import OPTIMIZERS
from mtl_dm.training.schedules import SCHEDULES

KERAS = {
    "adam": (keras.optimizers.Adam, "beta_1=0.8", {"beta_1": 0.8}),
    "adamw": (keras.optimizers.AdamW, "weight_decay=0.1", {"weight_decay": 0.1}),
    "rmsprop": (keras.optimizers.RMSprop, "momentum=0.9", {"momentum": 0.9}),
    "sgd": (keras.optimizers.SGD, "momentum=0.9", {"momentum": 0.9}),
}


def settings(optimizer):
    return {key: value for key, value in optimizer.get_config().items() if key != "name"}


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_defaults_are_those_of_keras(name):
    assert settings(OPTIMIZERS.create(name, 0.01)) == settings(KERAS[name][0](0.01))


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_options_reach_keras(name):
    kind, text, options = KERAS[name]
    optimizer = OPTIMIZERS.create(f"{name}({text}, global_clipnorm=1)", 0.01)
    assert type(optimizer) is kind
    assert settings(optimizer) == settings(kind(0.01, global_clipnorm=1.0, **options))


def rates(text, epochs=4, steps=5):
    schedule = SCHEDULES.create(text, 0.1, epochs, steps)
    if not callable(schedule):
        return np.full(epochs * steps, schedule)
    return np.array([float(schedule(step)) for step in range(epochs * steps)])


def test_constant_is_the_number_itself():
    assert SCHEDULES.create("constant", 0.1, 3, 2) == 0.1


def test_cosine():
    step = np.arange(20)
    np.testing.assert_allclose(rates("cosine"), 0.05 * (1 + np.cos(np.pi * step / 20)), rtol=1e-5)
    half = 0.1 * (0.5 + 0.25 * (1 + np.cos(np.pi * step / 20)))
    np.testing.assert_allclose(rates("cosine(final=0.5)"), half, rtol=1e-5)


def test_cosine_after_a_warm_up():
    have = rates("cosine(warmup=1)")
    np.testing.assert_allclose(have[:5], 0.1 * np.arange(5) / 5, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(have[5:], 0.05 * (1 + np.cos(np.pi * np.arange(15) / 15)), rtol=1e-5)


def test_step():
    np.testing.assert_allclose(
        rates("step(every=2, factor=0.5)"), np.repeat([0.1, 0.05], 10), rtol=1e-6
    )


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_an_optimizer_takes_every_schedule(name):
    text = "step(every=1)" if name == "step" else name
    optimizer = OPTIMIZERS.create("adam", SCHEDULES.create(text, 0.1, 2, 3))
    weight = keras.Variable([1.0])
    optimizer.build([weight])
    optimizer.apply([keras.ops.ones(1)])
    assert float(keras.ops.convert_to_numpy(weight.value)[0]) == pytest.approx(0.9, rel=1e-5)
