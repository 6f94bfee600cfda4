"""What every backbone keeps to; a new entry of BACKBONES is tested by being there."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.models import BACKBONES, MultiTaskModel
from mtl_dm.tasks import Task

# A small input per backbone, and shapes that it must refuse.
SHAPES = {"compact_cnn": (16, 16, 3), "dense_trunk": (10,)}
BAD_SHAPES = {
    "compact_cnn": [(16, 16), (8, 16, 3), (16, 8, 3), (16,), (2, 16, 16, 3), (None, None, 3)],
    "dense_trunk": [(4, 4), (4, 4, 3)],
}
every_backbone = pytest.mark.parametrize("name", list(BACKBONES))
B = 4


def shape_of(name):
    if name not in SHAPES:
        pytest.fail(
            f"Add the smallest input_shape of the backbone {name!r} to SHAPES in {__file__}."
        )
    return SHAPES[name]


def images(name, rows=B):
    return np.random.default_rng(0).uniform(-1, 1, (rows, *shape_of(name))).astype(np.float32)


@every_backbone
def test_gives_finite_features_of_known_length(name):
    backbone = BACKBONES.get(name)(shape_of(name))
    assert len(backbone.output_shape) == 2
    length = backbone.output_shape[-1]
    assert length is not None
    for training in (False, True):
        features = keras.ops.convert_to_numpy(backbone(images(name), training=training))
        assert features.shape == (B, length)
        assert np.isfinite(features).all()
        assert np.ptp(features) > 0


@every_backbone
def test_images_do_not_see_each_other_in_inference(name):
    backbone = BACKBONES.get(name)(shape_of(name))
    batch = images(name)
    together = keras.ops.convert_to_numpy(backbone(batch, training=False))
    for row in range(B):
        alone = backbone(batch[row : row + 1], training=False)
        np.testing.assert_allclose(alone[0], together[row], rtol=1e-5, atol=1e-6)


@every_backbone
def test_every_trainable_weight_gets_a_gradient(name):
    backbone = BACKBONES.get(name)(shape_of(name))
    with tf.GradientTape() as tape:
        features = backbone(images(name), training=False)
        # Not their plain sum, whose gradient a normalisation may cancel.
        loss = tf.reduce_sum(tf.square(features) + features)
    gradients = tape.gradient(loss, [each.value for each in backbone.trainable_variables])
    for variable, gradient in zip(backbone.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.path
        assert np.isfinite(gradient).all(), variable.path


@every_backbone
def test_every_call_makes_new_weights_from_the_seed(name):
    keras.utils.set_random_seed(1)
    one = BACKBONES.get(name)(shape_of(name))
    two = BACKBONES.get(name)(shape_of(name))
    keras.utils.set_random_seed(1)
    again = BACKBONES.get(name)(shape_of(name))
    assert any(np.any(a != b) for a, b in zip(one.get_weights(), two.get_weights(), strict=True))
    for a, b in zip(one.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@every_backbone
def test_serialisable_round_trip(name):
    backbone = BACKBONES.get(name)(shape_of(name))
    config = keras.saving.serialize_keras_object(backbone)
    copy = keras.saving.deserialize_keras_object(config)
    assert copy.get_config() == backbone.get_config()
    copy.set_weights(backbone.get_weights())
    np.testing.assert_array_equal(
        copy(images(name), training=False), backbone(images(name), training=False)
    )


@every_backbone
def test_a_model_around_it_is_saved_and_read_back(name, tmp_path):
    task = Task.multiclass("kind", ["a", "b"])
    model = MultiTaskModel(BACKBONES.get(name)(shape_of(name)), [task])
    before = model.predict(images(name), verbose=0)["kind"]
    model.save(tmp_path / "model.keras")
    after = keras.saving.load_model(tmp_path / "model.keras").predict(images(name), verbose=0)
    np.testing.assert_array_equal(after["kind"], before)


@every_backbone
def test_half_precision(name):
    keras.config.set_dtype_policy("mixed_float16")
    backbone = BACKBONES.get(name)(shape_of(name))
    features = keras.ops.convert_to_numpy(backbone(images(name), training=True))
    assert np.isfinite(features).all()
    assert {each.dtype for each in backbone.trainable_variables} == {"float32"}


@every_backbone
def test_a_shape_of_no_input_is_a_value_error(name):
    for shape in [(), (3, 3, 3, 3, 3), *BAD_SHAPES.get(name, ())]:
        with pytest.raises(ValueError, match="input_shape"):
            BACKBONES.get(name)(shape)


def test_unknown_backbone_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"Unknown backbone 'resnet'\. Known: .*compact_cnn"):
        BACKBONES.get("resnet")
