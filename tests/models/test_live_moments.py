"""Moments among a model's weights."""

import keras
import numpy as np
import pytest

from mtl_dm.models import RelationCoupling
from mtl_dm.models.coupling import coupling_from_dict
from mtl_dm.models.live_moments import LiveMoments
from mtl_dm.relatedness import Linear, Moments
from tests.models.cases import (
    AFFECT,
    ATTRIBUTES,
    CLASSES,
    EXPRESSION,
    coupled_model,
    numpy,
    random_batch,
)

VALUES = AFFECT.labels
START = Moments(
    CLASSES, VALUES, np.zeros((4, 2)), np.tile(np.eye(2), (4, 1, 1)), "the same for every class"
)
OTHER = Moments(
    CLASSES,
    VALUES,
    [[0, 0], [0.8, 0.3], [-0.6, -0.3], [-0.3, 0.7]],
    np.tile([[0.2, 0.05], [0.05, 0.1]], (4, 1, 1)),
    "others",
    [0.4, 0.3, 0.2, 0.1],
)
FORMS = {"moment_matching/conditional": 1.0, "moment_co_annotation/posterior": 1.0}


def coupling(relation=START, learned=True):
    return RelationCoupling("affective", "expression", "affect", relation, FORMS, learned=learned)


def values(table):
    return numpy(table._asdict())


def test_a_step_sees_the_start_and_then_what_is_assigned():
    live = LiveMoments(START)
    assert live.value() is START
    np.testing.assert_array_equal(values(live.table())["prior"], [0.25] * 4)
    live.assign(OTHER)
    for name, got in values(live.table()).items():
        np.testing.assert_array_equal(got, getattr(OTHER, name))
    found = live.value()
    np.testing.assert_array_equal(found.covariance, OTHER.covariance)
    assert "Learned during training, starting from: the same for every class" in found.citation


def test_other_labels_are_refused():
    with pytest.raises(ValueError, match="must keep their labels"):
        LiveMoments(START).assign(OTHER.within(CLASSES[:3], VALUES))


def test_the_terms_of_a_model_are_those_of_what_is_assigned(tmp_path):
    tasks = (EXPRESSION, AFFECT)
    data = random_batch(8, seed=1, tasks=tasks)
    models = [coupled_model(couplings=[each], tasks=tasks)
              for each in (coupling(), coupling(OTHER, learned=False))]  # fmt: skip
    for model in models:
        model(data[0])
    models[0].live_relatedness["0"].assign(OTHER)
    for one, other in zip(
        models[0].trainable_variables, models[1].trainable_variables, strict=True
    ):
        one.assign(other)
    models[0].save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.couplings == models[0].couplings
    want, *got = (
        {name: float(each) for name, each in model.term_losses(*data).items()}
        for model in (models[1], models[0], loaded)
    )
    for terms in got:
        assert terms == pytest.approx(want, rel=1e-5)


def test_only_what_is_learned_says_so():
    assert "learned" not in coupling(learned=False).to_dict()
    assert coupling_from_dict(coupling().to_dict()) == coupling()
    linear = Linear(ATTRIBUTES[:1], VALUES, np.ones((1, 2)), [0, 0], "")
    with pytest.raises(ValueError, match=r"learned=True is for moments, .* of the kind linear"):
        RelationCoupling("a", "b", "c", linear, {"linear_matching": 1.0}, learned=True)
