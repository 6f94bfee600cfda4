"""NTS-Net: its parameters, what its terms are, and which weights each of them moves."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.losses import task_loss
from mtl_dm.losses.ranking import pairwise_ranking_loss
from mtl_dm.models import MultiTaskModel
from mtl_dm.models.backbones import nts_net
from mtl_dm.models.backbones._nts_terms import IMAGE, PARTS, SCORES, TERMS
from mtl_dm.models.counting import parameters_of
from mtl_dm.models.steps.scopes import is_shared, last_kernel
from mtl_dm.tasks import Task

SPECIES = Task.multiclass("species", ["a", "b", "c"], label_smoothing=0.3)
TRAITS = Task.multilabel("traits", ["d", "e"])


def test_parameters_are_those_of_the_source():
    # Without values, which take longer to draw than to count.
    with keras.StatelessScope(initialize_variables=False):
        network = nts_net((64, 64, 3))
    assert parameters_of(network.trunk) == (23_508_032, 23_561_152)
    assert parameters_of(network.proposal_net) == (2_657_301, 2_657_301)
    birds = network.for_tasks([Task.multiclass("birds", [str(each) for each in range(200)])])
    head = (5 * 2048 + 1) * 200
    both = parameters_of(network).trainable + parameters_of(birds).trainable
    assert both + head == 29_033_133


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    network = nts_net((32, 32, 3), variant="demo", dropout=0.0)
    model = MultiTaskModel(network, [TRAITS, SPECIES])
    model.build((None, 32, 32, 3))
    return model


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (3, 32, 32, 3)).astype(np.float32)
    labels = {"species": np.eye(3)[[0, 1, 2]], "traits": np.ones((3, 2))}
    masks = {"species": np.array([1.0, 0, 1]), "traits": np.ones((3, 2))}
    return images, *(
        {name: each.astype(np.float32) for name, each in of.items()} for of in (labels, masks)
    )


@pytest.fixture(scope="module")
def seen(model, batch):
    """The context of a batch, its terms, and the gradient of each by every weight."""
    images, labels, masks = batch
    with tf.GradientTape(persistent=True) as tape:
        context = model.context(images, *model.extract(images), labels, masks)
        terms = model.terms(context)
        sums = {name: tf.reduce_sum(term.values * term.weights) for name, term in terms.items()}
    variables = [each.value for each in model.trainable_variables]
    return context, terms, {name: tape.gradient(value, variables) for name, value in sums.items()}


def parts_of(model):
    parts = {"trunk": model.backbone.trunk, "proposals": model.backbone.proposal_net}
    return parts | {"raw": terms_of(model).raw, "part": terms_of(model).part} | model.heads


def terms_of(model):
    return next(each for each in model._flatten_layers() if each.name == "nts_terms")


def moved(model, gradients):
    """Which part of the model a term moves."""
    weights = zip(model.trainable_variables, gradients, strict=True)
    found = {id(each) for each, gradient in weights if gradient is not None and np.any(gradient)}
    return {
        name
        for name, part in parts_of(model).items()
        if found & {id(each) for each in part.trainable_variables}
    }


def test_what_each_term_moves(model, seen):
    _, _, gradients = seen
    assert {name: moved(model, each) for name, each in gradients.items()} == {
        "species": {"trunk", "species"},
        "traits": {"trunk", "traits"},
        "nts_raw": {"trunk", "raw"},
        "nts_part": {"trunk", "part"},
        "nts_ranking": {"proposals"},
    }


def test_terms_are_the_guides_own_loss_where_it_is_annotated(model, seen):
    context, terms, _ = seen
    heads = terms_of(model)
    label, mask = context.labels["species"], context.masks["species"]
    raw = task_loss(SPECIES, label, heads.raw(context.extras[IMAGE]), mask)[0]
    logits = heads.part(context.extras[PARTS])
    parts = np.stack([task_loss(SPECIES, label, logits[:, m], mask)[0] for m in range(6)], axis=1)
    np.testing.assert_allclose(terms["nts_raw"].values, raw)
    np.testing.assert_allclose(terms["nts_part"].values, parts.mean(axis=1), rtol=1e-6)
    ranking = pairwise_ranking_loss(context.extras[SCORES], parts)
    np.testing.assert_allclose(terms["nts_ranking"].values, ranking, rtol=1e-6)
    assert np.all(np.asarray(ranking)[[0, 2]] > 0)
    assert ranking[1] == 0  # Nothing is known of the second image.
    for name in TERMS:
        np.testing.assert_array_equal(terms[name].weights, [1, 0, 1])
        assert terms[name].factor == 1


def test_features_are_four_parts_and_the_image(seen):
    context, _, _ = seen
    features, parts = context.features["traits"], context.extras[PARTS]
    assert parts.shape == (3, 6, 256)
    want = np.concatenate([*(parts[:, m] for m in range(4)), context.extras[IMAGE]], axis=-1)
    np.testing.assert_array_equal(features, want)
    scores = np.asarray(context.extras[SCORES])
    assert np.all(scores[:, 0] >= scores[:, 1])


def test_heads_of_image_and_parts_are_heads(model):
    shared = [
        id(each)
        for each, chosen in zip(model.trainable_variables, is_shared(model), strict=True)
        if chosen
    ]
    assert shared == [id(each) for each in model.backbone.trainable_variables]
    # The last shared kernel is one that every task moves.
    last = model.trainable_variables[last_kernel(model)]
    assert last is model.backbone.trunk.get_layer("conv5_1_increase").kernel


def test_their_weights_are_saved(model, tmp_path):
    kernel = terms_of(model).part.kernel
    before = kernel.numpy()
    model.save_weights(tmp_path / "model.weights.h5")
    kernel.assign(0 * before)
    model.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(kernel, before)


@pytest.fixture(scope="module")
def network(model):
    return model.backbone


def test_where_there_are_no_classes_the_first_task_guides(network):
    assert network.for_tasks([TRAITS]).task == TRAITS
    assert network.for_tasks([TRAITS, SPECIES]).task == SPECIES


def test_bad_guides(network):
    aimed = nts_net((32, 32, 3), variant="demo", guide="shape")
    with pytest.raises(ValueError, match=r"guide must be one of .*'species'.*, got 'shape'"):
        aimed.for_tasks([SPECIES])
    mood = Task.regression("mood", ["valence"], loss="ccc")
    guided = network.for_tasks([mood])
    values = np.array([[0.1], [0.2]], np.float32)
    known = {"mood": values}
    context = MultiTaskModel(keras.layers.Identity(), [mood]).context(
        values,
        known,
        {IMAGE: np.zeros((2, 256)), PARTS: np.zeros((2, 6, 256)), SCORES: np.zeros((2, 6))},
        known,
        {"mood": np.ones((2, 1), np.float32)},
    )
    with pytest.raises(ValueError, match="'ccc' of the task 'mood' has none for a single image"):
        guided.terms(context)


def test_bad_variant():
    with pytest.raises(ValueError, match="Unknown variant 'tiny' of nts_net"):
        nts_net((32, 32, 3), variant="tiny")
