import keras
import numpy as np
import pytest

from mtl_dm.models import BACKBONES, MultiTaskModel
from mtl_dm.models.inputs import InputSpec, inputs_of, random_inputs, single_image_side
from tests.models.cases import EXPRESSION


class First(keras.layers.Layer):
    """A backbone that says nothing of its inputs."""

    def call(self, inputs):
        return inputs["a"] if isinstance(inputs, dict) else inputs


def through_a_file(model, folder):
    model.save(folder / "model.keras")
    return keras.saving.load_model(folder / "model.keras")


def named(tmp_path):
    entries = {
        "b": keras.Input((8, 8, 3), name="b"),
        "a": keras.Input((), name="a", dtype="int32"),
    }
    ids = keras.layers.Embedding(4, 2)(entries["a"])
    features = keras.layers.Concatenate()([keras.layers.Flatten()(entries["b"]), ids])
    return MultiTaskModel(keras.Model(entries, features), [EXPRESSION])


def test_of_images(tmp_path):
    model = MultiTaskModel(BACKBONES.get("compact_cnn")((16, 16, 3)), [EXPRESSION])
    model(np.zeros((1, 16, 16, 3), np.float32))
    for each in (model, through_a_file(model, tmp_path)):
        assert inputs_of(each) == InputSpec((16, 16, 3))
        assert single_image_side(inputs_of(each)) == 16


def test_by_name(tmp_path):
    model = named(tmp_path)
    model.build({"a": (None,), "b": (None, 8, 8, 3)})
    expected = {"a": InputSpec((), "int32"), "b": InputSpec((8, 8, 3))}
    for each in (model, through_a_file(model, tmp_path)):
        assert inputs_of(each) == expected
        assert single_image_side(inputs_of(each)) is None


@pytest.mark.parametrize("shape", [(5,), {"a": (5,)}])
def test_of_a_backbone_that_says_nothing(shape):
    model = MultiTaskModel(First(), [EXPRESSION])
    if isinstance(shape, dict):
        model({name: np.zeros((2, *each), np.float32) for name, each in shape.items()})
        assert inputs_of(model) == {"a": InputSpec((5,))}
    else:
        model(np.zeros((2, *shape), np.float32))
        assert inputs_of(model) == InputSpec((5,))


def test_what_has_no_names_is_refused():
    entries = [keras.Input((2,)), keras.Input((3,))]
    model = MultiTaskModel(keras.Model(entries, keras.layers.Concatenate()(entries)), [EXPRESSION])
    model([np.zeros((1, 2)), np.zeros((1, 3))])
    with pytest.raises(ValueError, match="one array or a dictionary of arrays by name"):
        inputs_of(model)


@pytest.mark.parametrize(
    ("shape", "image", "side"),
    [((8, 8, 3), True, 8), ((8, 6, 3), True, None), ((8, 8, 1), False, None), ((3,), False, None),
     ((None, None, 3), True, None)],
)  # fmt: skip
def test_images(shape, image, side):
    spec = InputSpec(shape)
    assert (spec.is_image, spec.side) == (image, side)


def test_random_inputs():
    inputs = {"a": InputSpec((), "int32"), "b": InputSpec((4, 4))}
    found = random_inputs(inputs, 50, 0)
    assert {name: (each.shape, each.dtype.name) for name, each in found.items()} == {
        "a": ((50,), "int32"),
        "b": ((50, 4, 4), "float32"),
    }
    assert set(found["a"]) == {0, 1}
    assert -1 <= found["b"].min() < 0 < found["b"].max() <= 1
    again, other = (random_inputs(inputs["b"], 50, seed) for seed in (0, 1))
    assert not np.array_equal(again, other)
    np.testing.assert_array_equal(again, random_inputs(inputs["b"], 50, 0))
