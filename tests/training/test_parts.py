import keras
import numpy as np
import pytest

from mtl_dm.balancing import BALANCING
from mtl_dm.models import BACKBONES, MultiTaskModel
from mtl_dm.models.frozen import freeze
from mtl_dm.tasks import Task
from mtl_dm.training.parts import chosen_names, named_weights, trained_part

TASKS = (Task.multiclass("pet", ("cat", "dog")), Task.multilabel("parts", ("ear", "tail")))


def model_of(backbone="compact_cnn", shape=(16, 16, 3), balancing="equal"):
    model = MultiTaskModel(
        BACKBONES.create(backbone, shape), TASKS, balancing=BALANCING.create(balancing)
    )
    model(keras.ops.zeros((1, *shape)))
    return model


def names_of(variables, model):
    by_id = {id(weight): name for name, weight in named_weights(model).items()}
    return {by_id[id(variable)] for variable in variables}


def test_names_do_not_depend_on_what_was_built_before():
    first, second = model_of(), model_of()
    assert list(named_weights(first)) == list(named_weights(second))
    assert len(named_weights(first)) == len(first.weights)
    for name in (
        "backbone/conv2d/kernel",
        "backbone/conv2d_3/kernel",
        "backbone/global_batch_normalization_1/moving_mean",
        "heads/pet/bias",
    ):
        assert name in named_weights(first)
    # In the order of the network, so that the same name is the same layer.
    assert named_weights(first)["backbone/conv2d_3/kernel"].shape == (3, 3, 64, 96)


def test_all_is_everything_that_is_trainable():
    model = model_of()
    assert chosen_names(model, ("all",)) == names_of(model.trainable_variables, model)


@pytest.mark.parametrize(
    ("trainable", "first", "number"),
    [
        (("heads",), "heads/", 4),
        (("backbone",), "backbone/", 12),
        (("heads/pet",), "heads/pet/", 2),
        (("heads/*/bias",), "heads/", 2),
        (("backbone/conv2d_[23]",), "backbone/conv2d_", 2),
    ],
)
def test_patterns(trainable, first, number):
    chosen = chosen_names(model_of(), trainable)
    assert len(chosen) == number
    assert all(name.startswith(first) for name in chosen)


def test_patterns_add_up():
    model = model_of()
    assert chosen_names(model, ("heads", "backbone")) == chosen_names(model, ("all",))


@pytest.mark.parametrize("pattern", ["head", "backbone/conv3d*", "", "backbone/*/moving_mean"])
def test_a_pattern_that_fits_nothing(pattern):
    with pytest.raises(ValueError) as error:
        chosen_names(model_of(), ("heads", pattern))
    assert f"no trainable weight is called {pattern!r}" in str(error.value)
    assert "heads/pet" in str(error.value)


def test_a_part_that_its_author_has_frozen_trains_nothing():
    model = model_of()
    model.backbone.trainable = False
    with pytest.raises(ValueError, match="no trainable weight is called 'backbone'"):
        chosen_names(model, ("backbone",))
    assert chosen_names(model, ("all",)) == chosen_names(model, ("heads",))


def test_the_balancing_always_learns():
    model = model_of("dense_trunk", (5,), "uncertainty")
    learned = {name for name in chosen_names(model, ("heads",)) if "heads/" not in name}
    assert learned
    assert all(name.startswith("balancing/") for name in learned)


@pytest.mark.parametrize("trainable", ["heads", "backbone", "backbone/conv2d", "heads/*/bias"])
def test_only_the_part_is_trainable_and_afterwards_all_is_as_before(trainable):
    model = model_of()
    model.heads["parts"].trainable = False  # as an author may want it
    layers = [layer.trainable for layer in model._flatten_layers()]
    weights = [weight.trainable for weight in model.weights]
    want = chosen_names(model, (trainable,))
    with trained_part(model, (trainable,)):
        assert names_of(model.trainable_variables, model) == want
    assert [layer.trainable for layer in model._flatten_layers()] == layers
    assert [weight.trainable for weight in model.weights] == weights


class Made(keras.layers.Layer):
    """A backbone that makes its layers itself: its config says nothing of them."""

    def __init__(self, **options):
        super().__init__(**options)
        self.first, self.second = keras.layers.Dense(4), keras.layers.Dense(3)

    def build(self, shape):
        self.first.build(shape)
        self.second.build((None, 4))

    def call(self, inputs):
        return self.second(self.first(inputs))


@pytest.mark.parametrize("trainable", ["heads/pet", "backbone/dense_1", "*/bias"])
def test_a_checkpoint_of_a_part_is_read_with_its_optimizer(trainable, tmp_path):
    model = MultiTaskModel(Made(), TASKS)
    x = np.ones((4, 5), np.float32)
    model(x)
    labels = {"pet": np.eye(2, dtype=np.float32)[[0, 1, 0, 1]], "parts": np.ones((4, 2))}
    want = chosen_names(model, (trainable,))
    with trained_part(model, (trainable,)):
        model.compile(optimizer=keras.optimizers.Adam(0.1), run_eagerly=True)
        model.fit(x, labels, verbose=0)
        model.save(tmp_path / "model.keras")
    read = {"Made": Made}
    loaded = keras.saving.load_model(tmp_path / "model.keras", custom_objects=read)
    assert names_of(loaded.trainable_variables, loaded) == want
    assert len(loaded.optimizer.variables) == 2 + 2 * len(want)  # Adam's two moments each
    for got, kept in zip(loaded.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (got, kept)))


def test_a_config_that_freezes_what_is_not_there():
    model = model_of("dense_trunk", (5,))
    with pytest.raises(ValueError, match=r"freezes the layers \[99\], but this model has \d+"):
        freeze(model, {"layers": [99]})


def test_a_frozen_backbone_keeps_its_averages():
    model = model_of()
    images = np.random.default_rng(0).normal(size=(4, 16, 16, 3)).astype(np.float32)
    with trained_part(model, ("heads",)):
        before = {name: keras.ops.convert_to_numpy(w) for name, w in named_weights(model).items()}
        model.compile(optimizer=keras.optimizers.SGD(0.1), run_eagerly=True)
        masks = {"pet": np.ones(4, np.float32), "parts": np.ones((4, 2), np.float32)}
        labels = {"pet": np.eye(2, dtype=np.float32)[[0, 1, 0, 1]], "parts": masks["parts"]}
        model.fit(images, labels, sample_weight=masks, verbose=0)
    for name, weight in named_weights(model).items():
        same = np.array_equal(before[name], keras.ops.convert_to_numpy(weight))
        assert same == name.startswith("backbone/"), name
