"""A relatedness that changes while a model trains."""

import dataclasses

import keras
import numpy as np
import pytest

from mtl_dm.models import Coupling
from mtl_dm.models.live_relatedness import LiveRelatedness
from mtl_dm.relatedness import Relatedness, facs
from mtl_dm.training.resuming import Progress, restore_state, save_state
from tests.models.cases import (
    ATTRIBUTES,
    CLASSES,
    PRINTED,
    TABLE,
    coupled_model,
    dataset,
    random_batch,
)

SHAPE = len(CLASSES), len(ATTRIBUTES)
ONE_BATCH = random_batch()


def other(seed=0):
    rng = np.random.default_rng(seed)
    conditional = rng.random(SHAPE)
    prior, counts = rng.dirichlet(np.ones(SHAPE[0])), rng.integers(1, 30, SHAPE)
    return Relatedness(CLASSES, ATTRIBUTES, conditional, conditional, "another", prior, counts)


def learned_model(**fields):
    return coupled_model(couplings=[Coupling(relatedness=TABLE, learned=True, **fields)])


def live_of(model):
    return model.live_relatedness["0"]


@pytest.mark.parametrize("start", [TABLE, facs(), other()], ids=["table", "facs", "counted"])
def test_is_the_start_as_given_until_it_is_replaced(start):
    live = LiveRelatedness(start)
    assert live.value() == start
    table = live.table()
    for field in ("conditional", "weights", "likelihood"):
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(getattr(table, field)), getattr(start, field)
        )
    prior = np.full(len(start.classes), 1 / len(start.classes), np.float32)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(table.prior), prior if start.prior is None else start.prior
    )


@pytest.mark.parametrize("counted", [True, False])
def test_round_trip(counted):
    given = other() if counted else dataclasses.replace(other(), counts=None)
    live = LiveRelatedness(TABLE)
    live.assign(given)
    got, table = live.value(), live.table()
    for field in ("conditional", "weights", "prior", "likelihood"):
        np.testing.assert_allclose(getattr(got, field), getattr(given, field), rtol=1e-6)
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(getattr(table, field)), getattr(given, field), rtol=1e-6
        )
    if counted:
        np.testing.assert_array_equal(got.counts, given.counts)
    else:
        assert got.counts is None
    assert got.citation == f"Learned during training, starting from: {TABLE.citation}"


@pytest.mark.parametrize(
    "wrong",
    [
        TABLE.restrict(classes=CLASSES[::-1]),
        TABLE.restrict(attributes=ATTRIBUTES[:-1]),
        facs(),
    ],
)
def test_other_labels_are_refused(wrong):
    live = LiveRelatedness(TABLE)
    with pytest.raises(ValueError, match=r"must keep its labels.*'neutral'.*, got"):
        live.assign(wrong)
    assert live.value() == TABLE


def test_only_what_training_may_replace_has_one():
    couplings = [
        Coupling(relatedness=TABLE, trust=False),
        Coupling(relatedness=TABLE, learned=True, name="one"),
        Coupling(relatedness=TABLE, name="two"),
        Coupling(relatedness=TABLE, name="three", **PRINTED),
    ]
    model = coupled_model(couplings=couplings)
    assert list(model.live_relatedness) == ["1", "2"]
    names = {weight.path for weight in model.trainable_weights}
    assert not any("relatedness" in name for name in names)


@pytest.mark.parametrize("replaced", [True, False])
def test_saved_with_the_model(replaced, tmp_path):
    model, (x, labels, masks) = learned_model(), random_batch()
    want = model(x)
    if replaced:
        live_of(model).assign(other())
    model.term_scales["distribution_matching"].assign(0.25)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert live_of(loaded).value() == live_of(model).value()
    assert float(loaded.term_scales["distribution_matching"].numpy()) == 0.25
    assert loaded.couplings == model.couplings
    assert float(loaded.compute_loss(x, labels, loaded(x), masks)) == pytest.approx(
        float(model.compute_loss(x, labels, want, masks)), rel=1e-6
    )


def test_saved_with_the_state_of_a_training(tmp_path):
    def built():
        model = learned_model()
        model(np.zeros((1, 3), np.float32))
        model.compile(optimizer="sgd", jit_compile=False)
        model.optimizer.build(model.trainable_variables)
        return model

    model = built()
    live_of(model).assign(other())
    model.term_scales["soft_co_annotation"].assign(0.5)
    save_state(tmp_path, model, Progress(epochs=1))
    resumed = built()
    assert live_of(resumed).value() == TABLE
    restore_state(tmp_path, resumed)
    assert live_of(resumed).value() == live_of(model).value()
    assert float(resumed.term_scales["soft_co_annotation"].numpy()) == 0.5


@pytest.mark.parametrize("matching", ["paper", "bernoulli", "js", "batch", "conditional"])
def test_a_compiled_step_sees_what_was_assigned(matching):
    """The loss after `assign` is that of a model that was given the new table."""
    forms = {
        "matching_form": matching,
        "co_annotation_form": "paper" if matching == "paper" else "posterior",
    }
    model, batch = learned_model(**forms), random_batch()
    model(batch[0])
    model.compile(optimizer=keras.optimizers.SGD(0.0), jit_compile=False)

    def loss(model):
        return model.fit(dataset(batch, 20), verbose=0, shuffle=False).history["loss"][0]

    before = loss(model)
    live_of(model).assign(other())
    after = loss(model)
    fixed = coupled_model(couplings=[Coupling(relatedness=other(), **forms)])
    fixed(batch[0])
    for mine, its in zip(fixed.trainable_weights, model.trainable_weights, strict=True):
        mine.assign(its)
    fixed.compile(optimizer=keras.optimizers.SGD(0.0), run_eagerly=True)
    assert after == pytest.approx(loss(fixed), rel=1e-5)
    assert abs(after - before) > 1e-3


def test_what_labels_say_is_saved_with_the_model(tmp_path):
    model, (x, labels, masks) = coupled_model(couplings=[Coupling(relatedness=TABLE)]), ONE_BATCH
    want = model(x)
    assert live_of(model).confirmed is None
    before = float(model.compute_loss(x, labels, want, masks))
    live_of(model).confirm(0.25)
    live_of(model).assign(other(), np.full(SHAPE, 0.5))
    after = float(model.compute_loss(x, labels, want, masks))
    assert abs(after - before) > 1e-3
    assert "of which labels confirm 25%, starting from" in live_of(model).value().citation
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert live_of(loaded).confirmed == 0.25
    np.testing.assert_array_equal(live_of(loaded).table().reliability, np.full(SHAPE, 0.5))
    assert loaded.couplings == model.couplings
    assert float(loaded.compute_loss(x, labels, loaded(x), masks)) == pytest.approx(after, rel=1e-6)


@pytest.mark.parametrize(("judged", "share"), [(True, 1.5), (True, -1.0), (False, 0.5)])
def test_a_share_that_makes_no_sense_is_refused(judged, share):
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got"):
        LiveRelatedness(TABLE, judged).confirm(share)


@pytest.mark.parametrize(
    ("start", "eagerly"), [(TABLE, False), (other(), True)], ids=["uniform", "prior"]
)
def test_before_it_is_judged_a_model_trains_as_with_the_table_itself(start, eagerly):
    """To the last bit: what `fit` of the model alone does has not changed."""
    weights = []
    for trust in (None, False):
        keras.utils.set_random_seed(0)
        model = coupled_model(couplings=[Coupling(relatedness=start, trust=trust)])
        model(ONE_BATCH[0])
        model.compile(keras.optimizers.Adam(0.01), jit_compile=False, run_eagerly=eagerly)
        model.fit(dataset(ONE_BATCH, 5).repeat(2), verbose=0, shuffle=False)
        weights.append([each.numpy() for each in model.trainable_weights])
    for one, two in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_model_saved_before_tables_were_judged_has_none_that_is():
    model = coupled_model(couplings=[Coupling(relatedness=TABLE, trust=False)])
    config = model.get_config()
    assert "trust" not in config["couplings"][0]
    again = type(model).from_config(config)
    assert again.live_relatedness == {}
    assert again.couplings == model.couplings


def test_a_scale_weighs_its_term():
    model, (x, labels, masks) = coupled_model(), random_batch()
    whole = float(model.compute_loss(x, labels, model(x), masks))
    terms = model.term_losses(x, labels, masks)
    model.term_scales["distribution_matching"].assign(0.25)
    less = float(model.compute_loss(x, labels, model(x), masks))
    assert whole - less == pytest.approx(0.75 * float(terms["distribution_matching"]), rel=1e-5)


def test_a_model_saved_before_there_were_scales_is_read(tmp_path, monkeypatch):
    model = coupled_model()
    x = random_batch()[0]
    model(x)
    monkeypatch.setattr(type(model), "save_own_variables", lambda self, store: None)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert {float(scale.numpy()) for scale in loaded.term_scales.values()} == {1.0}
    for name, logits in model(x).items():
        np.testing.assert_allclose(loaded(x)[name], logits, rtol=1e-6)
