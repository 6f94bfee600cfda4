"""What every backbone keeps to; a new entry of BACKBONES is tested by being there."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.models import BACKBONES, MultiTaskModel
from mtl_dm.models.backbones import example_of
from mtl_dm.models.multi_task_model import AUXILIARY
from mtl_dm.tasks import Task
from tests.models.providers import Parts

# One of a user too, a layer on a dictionary with features by task: the suite must fit it.
ENTRIES = {
    **{name: BACKBONES.get(name) for name in BACKBONES},
    "of a user": Parts.of_shapes,
}
TASKS = (Task.multiclass("expression", ["a", "b"]), Task.regression("affect", ["valence"]))
every_backbone = pytest.mark.parametrize("name", list(ENTRIES))
B = 4


def shapes_of(name):
    return example_of(name, ENTRIES[name]).shape


def made(name, **options):
    return ENTRIES[name](shapes_of(name), **{**example_of(name, ENTRIES[name]).options, **options})


def images(name, rows=B):
    rng = np.random.default_rng(0)
    return keras.tree.map_shape_structure(
        lambda shape: rng.uniform(-1, 1, (rows, *shape)).astype(np.float32), shapes_of(name)
    )


def rows_of(batch, rows):
    return keras.tree.map_structure(lambda array: array[rows], batch)


def features_of(backbone, batch, training=False):
    """Features and extras as a flat list of arrays."""
    returned = backbone(batch, training=training)
    return [keras.ops.convert_to_numpy(each) for each in keras.tree.flatten(returned)]


@every_backbone
def test_gives_finite_features_of_known_length_for_every_task(name):
    backbone, batch = made(name), images(name)
    model = MultiTaskModel(backbone, TASKS)
    for training in (False, True):
        features, _ = model.extract(batch, training=training)
        assert set(features) == {task.name for task in TASKS}
        for each in features.values():
            assert len(each.shape) == 2
            assert each.shape[0] == B
            assert np.isfinite(each).all()
            assert np.ptp(each) > 0
        # The same length for every batch.
        alone, _ = model.extract(rows_of(batch, slice(0, 1)), training=False)
        for task, each in features.items():
            assert alone[task].shape[1] == each.shape[1]


@every_backbone
def test_images_do_not_see_each_other_in_inference(name):
    backbone, batch = made(name), images(name)
    together = features_of(backbone, batch)
    for row in range(B):
        alone = features_of(backbone, rows_of(batch, slice(row, row + 1)))
        for one, all_rows in zip(alone, together, strict=True):
            np.testing.assert_allclose(one[0], all_rows[row], rtol=1e-5, atol=1e-6)


@every_backbone
def test_every_trainable_weight_gets_a_gradient(name):
    backbone = made(name)
    with tf.GradientTape() as tape:
        features = keras.tree.flatten(backbone(images(name), training=False))
        # Not their plain sum, whose gradient a normalisation may cancel.
        loss = sum(tf.reduce_sum(tf.square(each) + each) for each in features)
    gradients = tape.gradient(loss, [each.value for each in backbone.trainable_variables])
    assert gradients
    for variable, gradient in zip(backbone.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.path
        assert np.isfinite(gradient).all(), variable.path


@every_backbone
def test_every_call_makes_new_weights_from_the_seed(name):
    drawn = []
    for seed in (1, None, 1):
        if seed is not None:
            keras.utils.set_random_seed(seed)
        backbone = made(name)
        backbone(images(name))
        drawn.append(backbone.get_weights())
    one, two, again = drawn
    assert any(np.any(a != b) for a, b in zip(one, two, strict=True))
    for a, b in zip(one, again, strict=True):
        np.testing.assert_array_equal(a, b)


@every_backbone
def test_serialisable_round_trip(name):
    backbone, batch = made(name), images(name)
    want = features_of(backbone, batch)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(backbone))
    assert copy.get_config() == backbone.get_config()
    copy(batch)
    copy.set_weights(backbone.get_weights())
    for got, expected in zip(features_of(copy, batch), want, strict=True):
        np.testing.assert_array_equal(got, expected)


@every_backbone
def test_a_model_around_it_is_saved_and_read_back(name, tmp_path):
    model, batch = MultiTaskModel(made(name), TASKS), images(name)
    before = model.predict(batch, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    after = loaded.predict(batch, verbose=0)
    for task in TASKS:
        np.testing.assert_array_equal(after[task.name], before[task.name])
    assert list(loaded.term_trackers) == list(model.term_trackers)


@every_backbone
def test_half_precision(name):
    keras.config.set_dtype_policy("mixed_float16")
    backbone = made(name)
    for features in features_of(backbone, images(name), training=True):
        assert np.isfinite(features).all()
    assert {each.dtype for each in backbone.trainable_variables} == {"float32"}


@every_backbone
def test_exact_options_leave_nothing_to_chance(name):
    backbone, batch = made(name, **example_of(name, ENTRIES[name]).exact), images(name)
    for one, two in zip(
        features_of(backbone, batch, True), features_of(backbone, batch, True), strict=True
    ):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


@every_backbone
def test_its_own_losses_are_terms_with_names_of_their_own(name):
    model = MultiTaskModel(made(name), TASKS)
    model(images(name))
    own = set(model.term_trackers) - {task.name for task in TASKS}
    assert set(getattr(model.backbone, "term_names", ())) == own - {AUXILIARY}


@every_backbone
def test_a_shape_of_no_input_is_a_value_error(name):
    refused = example_of(name, ENTRIES[name]).refused
    everyones = [(), (3, 3, 3, 3, 3)] if isinstance(shapes_of(name), tuple) else []
    assert refused
    for shape in [*everyones, *refused]:
        with pytest.raises(ValueError, match="input_shape"):
            ENTRIES[name](shape, **example_of(name, ENTRIES[name]).options)


def test_an_entry_without_an_example_is_told_how_to_give_one():
    with pytest.raises(ValueError, match=r"backbone 'x' has no example .*@example\(\(16, 16, 3"):
        example_of("x", lambda shape: keras.layers.Identity())


def test_unknown_backbone_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"Unknown backbone 'resnet'\. Known: .*compact_cnn"):
        BACKBONES.get("resnet")
