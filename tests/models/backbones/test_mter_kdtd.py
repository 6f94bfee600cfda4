"""MTER-KDTD: its parameters, counted by hand, and the term by which its branches teach."""

import keras
import numpy as np
import pytest

from mtl_dm.losses.mutual import mutual_class_distillation, mutual_value_distillation
from mtl_dm.models import MultiTaskModel
from mtl_dm.models.backbones import mter_kdtd
from mtl_dm.models.policies import under_policy
from mtl_dm.tasks import Task

TASKS = (Task.multiclass("expression", ["a", "b", "c"]), Task.multilabel("units", ["d", "e"]))
TERM = "mter_distillation"


def residual(channels, filters):
    """A block of two 3x3 convolutions, their normalisations, and a 1x1 skip where it widens."""
    skip = channels * filters + 2 * filters if channels != filters else 0
    return 9 * channels * filters + 9 * filters * filters + 4 * filters + skip


def test_parameters_are_those_of_two_resnets_18_with_one_stem():
    stem = 49 * 3 * 64 + 2 * 64 + 2 * residual(64, 64)
    stages = ((64, 128), (128, 256), (256, 512))
    branch = sum(residual(*stage) + residual(stage[1], stage[1]) for stage in stages)
    assert stem + branch == 11_176_512  # ResNet-18 without its head, as published.
    network = mter_kdtd((112, 112, 3))
    counted = sum(int(np.prod(each.shape)) for each in network.trainable_variables)
    assert counted == stem + 2 * branch == 22_195_520


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return MultiTaskModel(mter_kdtd((32, 32, 3), variant="demo", distillation=0.5), TASKS)


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (4, 32, 32, 3)).astype(np.float32)
    labels = {"expression": np.eye(3)[[0, 1, 2, 0]], "units": np.zeros((4, 2))}
    masks = {"expression": np.array([1.0, 0, 1, 0]), "units": np.zeros((4, 2))}
    return images, *(
        {name: each.astype(np.float32) for name, each in of.items()} for of in (labels, masks)
    )


def test_the_term_is_what_the_branches_say_of_every_task(model, batch):
    images, labels, masks = batch
    context = model.context(images, *model.extract(images), labels, masks)
    term = model.terms(context)[TERM]
    parts = context.part_logits
    assert parts["expression"].shape == (4, 2, 3)
    want = (
        mutual_class_distillation(parts["expression"], 4.0)
        + mutual_value_distillation(parts["units"])
    ) / 2
    np.testing.assert_allclose(term.values, want, rtol=1e-6)
    np.testing.assert_array_equal(term.weights, np.ones(4))  # Without labels too.
    assert float(term.factor) == 0.5
    assert np.all(keras.ops.convert_to_numpy(want) > 0)


def test_its_loss_is_logged_by_name(model, batch):
    losses = model.term_losses(*batch)
    assert list(losses) == ["expression", "units", TERM]


def test_the_branches_share_the_stem_alone(model):
    names = {each.path.split("/")[-2].split("_")[0] for each in model.backbone.trainable_variables}
    assert names == {"stem", "shared", "emotion", "appearance"}


@pytest.fixture(scope="module")
def files(model, batch, tmp_path_factory):
    """The network's file, and one of it as trained in half precision."""
    folder = tmp_path_factory.mktemp("mter")
    model.backbone.save(folder / "full.keras")
    with under_policy("mixed_float16"):
        mter_kdtd((32, 32, 3), variant="demo").save(folder / "half.keras")
    return folder


def test_loaded_it_computes_as_it_was_saved_whoever_loads_it(files):
    for name, policy in (("half", "float32"), ("full", "mixed_float16")):
        with under_policy(policy):
            loaded = keras.saving.load_model(files / f"{name}.keras")
        want = {"half": "float16", "full": "float32"}[name]
        assert {each.compute_dtype for each in loaded.network.layers} == {want}
    assert keras.config.dtype_policy().name == "float32"


def test_weights_of_a_file(files, model):
    loaded = mter_kdtd((32, 32, 3), variant="demo", weights=str(files / "full.keras"))
    for one, two in zip(loaded.weights, model.backbone.weights, strict=True):
        np.testing.assert_array_equal(one, two)
    assert "weights" not in loaded.get_config()


def test_without_distillation_there_is_no_term():
    assert mter_kdtd((32, 32, 3), variant="demo", distillation=0.0).term_names == []


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"variant": "tiny"}, "Unknown variant 'tiny' of mter_kdtd"),
        ({"temperature": 0.0}, "temperature must be > 0, got 0.0"),
        ({"distillation": -1.0}, "distillation must be >= 0, got -1.0"),
    ],
)
def test_bad_options(options, match):
    with pytest.raises(ValueError, match=match):
        mter_kdtd((32, 32, 3), **options)
