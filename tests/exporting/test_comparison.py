import keras
import numpy as np
import pytest

from mtl_dm.exporting.comparison import (
    LEAST_TOLERANCE,
    compare,
    relative_difference,
    tolerance,
)
from mtl_dm.models.inputs import InputSpec


@pytest.mark.parametrize(
    ("expected", "found", "difference"),
    [
        ([[0.5], [0.25]], [[0.5], [0.375]], 0.125),  # Probabilities: absolute.
        ([[1e4], [1.0]], [[1e4], [1.5]], 0.5e-4),  # A small value of a large output.
        # Each output has a size of its own.
        ([[1e4, 0.5]], [[1e4, 0.75]], 0.25),
        ([[-1e4, 0.5]], [[-1e4 + 1, 0.5]], 1e-4),
        ([[0.0]], [[0.0]], 0.0),
    ],
)
def test_relative_difference(expected, found, difference):
    assert relative_difference(np.array(expected), np.array(found)) == pytest.approx(difference)


def test_what_is_no_number_differs():
    assert np.isnan(relative_difference(np.zeros((2, 2)), np.array([[0, np.nan], [0, 0]])))
    assert relative_difference(np.zeros((1, 1)), np.array([[np.inf]])) == np.inf


def network(*widths):
    layers = [keras.layers.Dense(width) for width in widths]
    model = keras.Sequential([keras.Input((4,)), *layers])
    entry = keras.Input((4,))
    return keras.Model(entry, {"a": model(entry)})


def test_tolerance_is_that_of_the_sums():
    assert tolerance(network(3)) == LEAST_TOLERANCE
    # 4 products a sum of the first layer, 100,000 of the second.
    expected = 4 * 2.0**-23 * np.sqrt(4 + 100_000)
    assert tolerance(network(100_000, 1)) == pytest.approx(expected)


def test_other_orders_of_summation_stay_within_the_tolerance():
    # A deep network in float32 and, as another program would come near it, in float64.
    keras.utils.set_random_seed(0)
    model = network(*[512] * 20, 8)
    for layer in model.layers[1].layers:
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel * np.sqrt(1.02), bias])

    def in_float64(values):
        values = values.astype(np.float64)
        for layer in model.layers[1].layers:
            kernel, bias = layer.get_weights()
            values = values @ kernel.astype(np.float64) + bias
        return {"a": values}

    difference = compare("x", model, in_float64, InputSpec((4,)))
    assert 0 < difference < tolerance(model)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: {"a": a + 2e-5}, r"x: a differs from the Keras model by 2e-05 of its size"),
        (lambda a: {"a": a * np.nan}, "differs from the Keras model by nan"),
        (lambda a: {"b": a}, r"has the outputs \['b'\], not \['a'\]"),
        (lambda a: {"a": a[:, :1]}, "its outputs have the shapes"),
    ],
)
def test_another_model_is_told(change, message):
    model = network(3)

    def written(inputs):
        return change(keras.ops.convert_to_numpy(model(inputs)["a"]))

    with pytest.raises(ValueError, match=message):
        compare("x", model, written, InputSpec((4,)))
