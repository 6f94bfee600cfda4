import keras
import numpy as np
import pytest

from mtl_dm.models import Coupling, MultiTaskModel
from mtl_dm.models.precision import in_float32
from tests.models.cases import EXPRESSION, TABLE, UNITS

SHAPE = (8, 8, 3)
IMAGES = np.random.default_rng(0).uniform(-1, 1, (4, *SHAPE)).astype(np.float32)


@keras.saving.register_keras_serializable("tests.precision")
class Silent(keras.layers.Layer):
    """A layer that does not store its policy."""

    def call(self, inputs):
        return inputs + keras.ops.cast(1 / 3, inputs.dtype)

    def get_config(self):
        return {"name": self.name}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def built(policy):
    keras.utils.set_random_seed(1)
    keras.config.set_dtype_policy(policy)
    backbone = keras.Sequential(
        [
            keras.Input(SHAPE),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            Silent(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(5, dtype=keras.dtype_policies.get(policy)),
        ]
    )
    model = MultiTaskModel(backbone, (EXPRESSION, UNITS), [Coupling(relatedness=TABLE)])
    model(IMAGES)
    keras.config.set_dtype_policy("float32")
    return model


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16"])
def test_the_copy_is_the_network_in_float32(policy):
    model, full = built(policy), built("float32")
    copy = in_float32(model)
    full.set_weights([np.asarray(each, np.float32) for each in model.get_weights()])
    found, expected = copy(IMAGES, training=False), full(IMAGES, training=False)
    rounded = model(IMAGES, training=False)
    for name, values in expected.items():
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (found[name], values)))
        gap = keras.ops.convert_to_numpy(rounded[name] - values)
        assert np.abs(gap).max() > 1e-5  # Half precision is not float32.
    layers = copy.backbone.layers
    assert {layer.compute_dtype for layer in layers} == {"float32"}
    assert {weight.dtype for weight in copy.weights} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"
    # The original is left as it was.
    assert model.backbone.layers[0].compute_dtype == policy.removeprefix("mixed_")


def test_a_float32_model_is_its_own_copy():
    model = built("float32")
    assert in_float32(model) is model
