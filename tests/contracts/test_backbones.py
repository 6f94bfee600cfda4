"""What every backbone keeps to; a new entry of BACKBONES is tested by being there.

Few passes over a network that is built once serve many checks: there are many networks. Training
is eager, which costs less than to compile it for two steps.
"""

import functools
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.models import BACKBONES, MultiTaskModel
from mtl_dm.models.backbones import example_of
from mtl_dm.models.multi_task_model import AUXILIARY
from tests.models.cases import AFFECT, EXPRESSION, UNITS, random_batch
from tests.models.providers import Parts

# One of a user too, a layer on a dictionary with features by task: the suite must fit it.
ENTRIES = {
    **{name: BACKBONES.get(name) for name in BACKBONES},
    "of a user": Parts.of_shapes,
}
TASKS = (EXPRESSION, UNITS, AFFECT)
every_backbone = pytest.mark.parametrize("name", list(ENTRIES))
B = 4


def shapes_of(name):
    return example_of(name, ENTRIES[name]).shape


def made(name, **options):
    return ENTRIES[name](shapes_of(name), **{**example_of(name, ENTRIES[name]).options, **options})


@functools.cache
def exact(name):
    """A backbone, drawn from seed 1, in which nothing is left to chance, to look at alone."""
    keras.utils.set_random_seed(1)
    backbone = made(name, **example_of(name, ENTRIES[name]).exact)
    backbone(images(name))
    return backbone


def images(name, rows=B):
    rng = np.random.default_rng(0)
    return keras.tree.map_shape_structure(
        lambda shape: rng.uniform(-1, 1, (rows, *shape)).astype(np.float32), shapes_of(name)
    )


def rows_of(batch, rows):
    return keras.tree.map_structure(lambda array: array[rows], batch)


def flat(returned):
    """Features and extras as a flat list of arrays."""
    return [keras.ops.convert_to_numpy(each) for each in keras.tree.flatten(returned)]


def weights_of(one, other):
    return list(zip(one.trainable_variables, other.trainable_variables, strict=True))


def config_of(backbone):
    # As text, in which a tuple is a list.
    return json.dumps(keras.saving.serialize_keras_object(backbone), sort_keys=True)


def trained(model, name, steps):
    """Train some steps on partly annotated images; return the logs."""
    _, labels, masks = random_batch(B, tasks=TASKS)
    batch = tf.data.Dataset.from_tensors((images(name), labels, masks)).repeat(steps)
    model.compile(keras.optimizers.SGD(1e-3), run_eagerly=True)
    return model.fit(batch, verbose=0, shuffle=False).history


@every_backbone
def test_features_are_finite_and_images_do_not_see_each_other_in_inference(name):
    backbone, batch = exact(name), images(name)
    together, row = flat(backbone(batch, training=False)), 1
    alone = flat(backbone(rows_of(batch, slice(row, row + 1)), training=False))
    for one, all_rows in zip(alone, together, strict=True):
        assert all_rows.shape[0] == B
        assert one.shape[1:] == all_rows.shape[1:]
        assert np.isfinite(all_rows).all()
        assert np.ptp(all_rows) > 0
        np.testing.assert_allclose(one[0], all_rows[row], rtol=1e-4, atol=1e-5)


@every_backbone
def test_every_trainable_weight_gets_a_gradient_and_exact_options_leave_nothing_to_chance(name):
    backbone, batch = exact(name), images(name)
    with tf.GradientTape() as tape:
        features = keras.tree.flatten(backbone(batch, training=True))
        # Not their plain sum, whose gradient a normalisation may cancel.
        loss = sum(tf.reduce_sum(tf.square(each) + each) for each in features)
    gradients = tape.gradient(loss, [each.value for each in backbone.trainable_variables])
    assert gradients
    for variable, gradient in zip(backbone.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.path
        assert np.isfinite(gradient).all(), variable.path
    for one, two in zip(features, flat(backbone(batch, training=True)), strict=True):
        assert np.isfinite(one).all()
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)


@every_backbone
def test_a_model_around_it_is_saved_read_back_and_trained(name, tmp_path):
    keras.utils.set_random_seed(1)
    # As `exact`: what draws in training takes a seed, which moves what is drawn after it.
    model = MultiTaskModel(made(name, **example_of(name, ENTRIES[name]).exact), TASKS)
    batch = images(name)
    before = model(batch, training=False)
    own = set(model.term_trackers) - {task.name for task in TASKS}
    assert set(getattr(model.backbone, "term_names", ())) == own - {AUXILIARY}

    # A seed makes the same weights again. Not the statistics, which a look in training has moved.
    for a, b in weights_of(model.backbone, exact(name)):
        np.testing.assert_array_equal(a, b)

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert config_of(loaded.backbone) == config_of(model.backbone)
    assert list(loaded.term_trackers) == list(model.term_trackers)
    after = loaded(batch, training=False)
    for task in TASKS:
        np.testing.assert_array_equal(after[task.name], before[task.name])
        assert before[task.name].shape == (B, task.size)

    logs = trained(loaded, name, steps=1)
    assert all(np.isfinite(values).all() for values in logs.values())
    assert any(np.any(a != b) for a, b in weights_of(model, loaded))


@every_backbone
def test_trains_in_half_precision(name):
    keras.config.set_dtype_policy("mixed_float16")
    keras.utils.set_random_seed(2)
    model = MultiTaskModel(made(name), TASKS)
    model(images(name))
    # Another seed makes other weights.
    assert any(np.any(a != b) for a, b in weights_of(model.backbone, exact(name)))
    logs = trained(model, name, steps=1)
    assert all(np.isfinite(values).all() for values in logs.values())
    assert all(np.isfinite(each).all() for each in model.trainable_variables)
    assert {each.dtype for each in model.trainable_variables} == {"float32"}


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
