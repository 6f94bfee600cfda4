"""Centre loss as a term with a state: centres follow, are saved, and count with their task."""

import keras
import numpy as np
import pytest

from mtl_dm.balancing import Balancing, Dynamic, StaticWeighting
from mtl_dm.losses.virtual import VIRTUAL
from mtl_dm.models import TERMS, CentreLoss
from tests.models.cases import EXPRESSION, UNITS, coupled_model, dataset, random_batch, trunk
from tests.models.providers import Centre

ROWS = 12


def compiled(*terms, **options):
    model = coupled_model(couplings=(), terms=terms, **options)
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    return model


def fitted(model, batch, epochs=1):
    return model.fit(dataset(batch, ROWS), epochs=epochs, verbose=0, shuffle=False).history


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_centres_follow_the_embeddings_of_labelled_images_alone():
    term = CentreLoss(task="expression", rate=0.5)
    model = compiled(term)
    x, labels, masks = random_batch(ROWS, seed=1)
    labels[VIRTUAL] = np.isin(np.arange(ROWS), [4, 5]).astype(np.float32)
    masks[VIRTUAL] = np.ones(ROWS, np.float32)
    assert not keras.ops.convert_to_numpy(term.centres).any()
    history = fitted(model, (x, labels, masks), 2)
    embeddings = unit(np.maximum(keras.ops.convert_to_numpy(model.backbone(x)), 0))
    counted = (masks["expression"] > 0) & (labels[VIRTUAL] == 0)
    classes = labels["expression"].argmax(axis=1)
    centres, losses = np.zeros((4, 6)), []
    for _ in range(2):
        gaps = embeddings - centres[classes]
        losses.append((gaps[counted] ** 2).sum(axis=1).mean() / 2)
        for place in set(classes[counted]):
            own = counted & (classes == place)
            centres[place] += 0.5 * (embeddings[own].mean(axis=0) - centres[place])
    np.testing.assert_allclose(term.centres, centres, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(history["centre_loss"], losses, rtol=1e-4)
    # Looking changes nothing.
    model.evaluate(dataset((x, labels, masks), ROWS), verbose=0)
    model.term_losses(x, labels, masks)
    np.testing.assert_allclose(term.centres, centres, rtol=1e-4, atol=1e-6)
    assert not any("centres" in each.path for each in model.trainable_variables)


def test_is_weighed_with_its_task():
    batch = random_batch(ROWS)
    model = compiled(
        CentreLoss(task="expression", weight=0.3), balancing=StaticWeighting(expression=2)
    )
    assert model.balancing.names == ("expression", "action_units")
    logs = {name: value[0] for name, value in fitted(model, batch).items()}
    want = 2 * (logs["expression_loss"] + 0.3 * logs["centre_loss"]) + logs["action_units_loss"]
    assert logs["loss"] == pytest.approx(want, rel=1e-5)


def test_a_method_sees_the_sum_of_both():
    seen = []

    class Look(Balancing):
        def weigh(self, step):
            seen.append(keras.ops.convert_to_numpy(step.losses))
            return keras.ops.ones_like(step.losses)

    term = CentreLoss(task="expression", weight=0.3, name="own")
    model = compiled(term, Centre(), balancing=Look())
    seen.clear()
    logs = {name: value[0] for name, value in fitted(model, random_batch(ROWS)).items()}
    assert model.balancing.names == ("expression", "action_units", "centre")
    want = logs["expression_loss"] + 0.3 * logs["own_loss"]
    assert seen[0][0] == pytest.approx(want, rel=1e-5)


def test_is_saved_and_read_back_with_its_centres(tmp_path):
    term = CentreLoss(task="expression", form="norm", weight=1e-4, normalised=False)
    model = compiled(term, balancing=Dynamic())
    fitted(model, random_batch(ROWS))
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    (read,) = copy.term_providers
    assert read.get_config() == term.get_config()
    np.testing.assert_array_equal(read.centres, term.centres)
    assert np.any(term.centres)


def test_a_step_that_is_not_taken_leaves_the_centres():
    model = compiled(CentreLoss(task="expression"), balancing=Dynamic())
    x, labels, masks = random_batch(ROWS)
    fitted(model, (x, labels, masks))
    before = model.get_weights()
    x[0] = np.nan
    with pytest.raises(ValueError, match="is not finite"):
        fitted(model, (x, labels, masks))
    for got, want in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, want)


def test_of_an_embedding_that_the_backbone_returns_beside_the_features():
    image = keras.Input((3,))
    outputs = {"features": trunk()(image), "embedding": keras.layers.Dense(5)(image)}
    term = CentreLoss(task="expression", embedding="embedding")
    coupled_model(keras.Model(image, outputs), (), terms=[term])
    assert term.centres.shape == (4, 5)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("centre_loss(task=identity)", "part of that of the task 'identity', but the tasks are"),
        ("centre_loss(task=action_units)", "needs a multiclass task, got 'action_units'"),
        ("centre_loss(task=expression, embedding=code)", "the backbone returns no 'code'"),
        (
            "centre_loss(task=expression, form=cosine)",
            "form' of the loss term 'centre_loss' must be one of squared, norm",
        ),
        ("centre_loss(task=expression, weight=-1)", "weight of centre_loss .* got -1"),
        ("centre_loss(task=expression, rate=0)", r"rate of centre_loss must be in \(0, 1\], got 0"),
        ("centre_loss", "needs the option.* task"),
    ],
)
def test_refuses_what_does_not_fit(spec, message):
    with pytest.raises(ValueError, match=message):
        coupled_model(couplings=(), tasks=(EXPRESSION, UNITS), terms=[TERMS.create(spec)])
