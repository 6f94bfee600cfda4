"""Couplings of any relation: names, kinds, a user's form between classes and a real value."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from keras import ops

from mtl_dm.losses import COUPLING_FORMS
from mtl_dm.losses.forms import coupling_form
from mtl_dm.models import Coupling, RelationCoupling
from mtl_dm.models.coupling import coupling_from_dict
from mtl_dm.relatedness import Linear, Moments
from tests.models.cases import (
    AFFECT,
    ATTRIBUTES,
    CLASSES,
    EXPRESSION,
    PRINTED,
    TABLE,
    UNITS,
    coupled_model,
    dataset,
    numpy,
    random_batch,
)

TASKS = (EXPRESSION, UNITS, AFFECT)
ROWS = 12
# Of three of the four classes, and one of the two values.
MEAN = np.array([[0.1], [0.8], [-0.6]])
MOMENTS = Moments(CLASSES[:3], ("valence",), MEAN, np.full((3, 1, 1), 0.25), "made up")
LINEAR = Linear(ATTRIBUTES[:2], ("arousal",), [[0.5], [-0.25]], [0.1], "made up")


@pytest.fixture
def expected_value(monkeypatch):
    """A form of this module: the prediction is near the mean of the class that is predicted."""
    monkeypatch.setattr(COUPLING_FORMS, "_entries", dict(COUPLING_FORMS._entries))

    @coupling_form("expected_value", ("moments",), "expected")
    def form(source, target, relation, labels, masks, *, sharpness: float = 1.0):
        share = ops.softmax(sharpness * source, axis=-1)
        mean = ops.matmul(share, relation.mean)
        values = ops.sum(ops.square(target - mean), axis=-1)
        return values, masks["classes"]

    return form


def affect_coupling(**changes):
    fields = {
        "name": "affective",
        "source": "expression",
        "target": "affect",
        "relation": MOMENTS,
        "forms": {"expected_value": 0.5},
        **changes,
    }
    return RelationCoupling(**fields)


def batch():
    return random_batch(ROWS, seed=2, junk=np.nan, tasks=TASKS)


def objective(model, data):
    x, labels, masks = data
    return float(model.compute_loss(x, labels, model(x), masks))


def test_a_users_form_couples_classes_and_a_real_value(expected_value):
    data = batch()
    model = coupled_model(couplings=[affect_coupling()], tasks=TASKS)
    assert model.coupling_names() == ["affective_expected"]
    logits = numpy(model(data[0]))
    scores = logits["expression"][:, :3]
    share = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    values = (logits["affect"][:, 0] - (share @ MEAN)[:, 0]) ** 2
    # An image that is labelled with the class outside is left alone.
    named = np.nan_to_num(data[1]["expression"])[:, :3].sum(axis=1) > 0
    weights = data[2]["expression"] * named
    want = (values * weights).sum() / weights.sum()
    whole = objective(model, data)
    assert float(model.term_trackers["affective_expected"].result()) == pytest.approx(
        want, rel=1e-5
    )
    model.term_scales["affective_expected"].assign(0.0)
    assert whole - objective(model, data) == pytest.approx(0.5 * want, rel=1e-4)


def test_trained_saved_and_loaded(expected_value, tmp_path):
    # Three steps are not enough to open a gate.
    coupling = affect_coupling(options={"expected_value": {"sharpness": 2.0}}, gate=False)
    model = coupled_model(couplings=[Coupling(relatedness=TABLE), coupling], tasks=TASKS)
    model.compile(keras.optimizers.SGD(0.05), run_eagerly=True)
    history = model.fit(dataset(batch(), 6), epochs=3, verbose=0, shuffle=False).history
    assert history["affective_expected_loss"][-1] < history["affective_expected_loss"][0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.couplings == model.couplings
    assert objective(loaded, batch()) == objective(model, batch())


@pytest.mark.parametrize("relation", [MOMENTS, LINEAR, TABLE])
def test_round_trip_through_json(relation, expected_value, monkeypatch):
    form = COUPLING_FORMS.get("expected_value")
    monkeypatch.setitem(
        COUPLING_FORMS._entries,
        "any",
        type(form)(form.function, ("moments", "linear", "probabilities"), "any"),
    )
    coupling = affect_coupling(relation=relation, forms={"any": None})
    text = json.dumps(coupling.to_dict())
    assert coupling_from_dict(json.loads(text)) == coupling


def test_a_factor_that_is_left_open_is_1_without_a_rule(expected_value):
    data = batch()
    models = [
        coupled_model(couplings=[affect_coupling(forms={"expected_value": factor})], tasks=TASKS)
        for factor in (None, 1.0)
    ]
    models[1](data[0])
    models[0](data[0])
    models[1].set_weights(models[0].get_weights())
    one, other = (objective(model, data) for model in models)
    assert one == other


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"relation": 7}, "must be of one of the kinds linear, moments, probabilities, got int"),
        ({"relation": LINEAR}, "'expected_value' takes relations of the kind moments, got linear"),
        ({"relation": TABLE}, "takes relations of the kind moments, got probabilities"),
        ({"forms": {}}, "needs at least one form, got none"),
        ({"forms": {"expected": 1.0}}, "Unknown coupling form 'expected'"),
        ({"forms": {"expected_value": -1.0}}, "must be None or finite and >= 0, got -1"),
        (
            {"options": {"expected_value": {"sharp": 1.0}}},
            r"has no option \['sharp'\]. Known: \['sharpness'\]",
        ),
        ({"options": {"other": {}}}, r"options of forms it lacks: \['other'\]"),
        ({"name": "no name"}, "name must be a Python identifier, got 'no name'"),
    ],
)
def test_a_coupling_that_contradicts_itself_is_refused(changes, message, expected_value):
    with pytest.raises(ValueError, match=message):
        affect_coupling(**changes)


def test_a_coupling_that_no_form_takes_lists_those_that_exist():
    with pytest.raises(ValueError, match="takes relations of the kind probabilities") as caught:
        affect_coupling(forms={"distribution_matching/paper": 1.0})
    for line in (
        "multiclass -> regression by moments (moment_co_annotation/posterior, ",
        "multilabel -> regression by linear (linear_matching)",
        "multiclass -> multilabel by probabilities (distribution_matching/batch, ",
    ):
        assert line in str(caught.value)
    with pytest.raises(ValueError, match=r"'affect' is regression\. There are: .* by linear"):
        coupled_model(couplings=[Coupling(attributes="affect", relatedness=TABLE)], tasks=TASKS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "action_units"}, "needs a multiclass task, 'action_units' is multilabel"),
        ({"target": "action_units"}, "needs a regression task, 'action_units' is multilabel"),
        ({"target": "age"}, "unknown task 'age'"),
        (
            {"relation": Moments(("neutral", "anger"), ("valence",), np.zeros((2, 1)),
                                 np.ones((2, 1, 1)), "")},
            r"'expression' does not have: \['anger'\]",
        ),
    ],
)  # fmt: skip
def test_a_coupling_that_does_not_fit_the_tasks_is_refused(changes, message, expected_value):
    with pytest.raises(ValueError, match=message):
        coupled_model(couplings=[affect_coupling(**changes)], tasks=TASKS)


@pytest.fixture(scope="module")
def three():
    model = coupled_model(couplings=TestThreeTasksInThreeCouplings.COUPLINGS, tasks=TASKS)
    model.compile(keras.optimizers.SGD(0.05), run_eagerly=True)
    return model


class TestThreeTasksInThreeCouplings:
    """Expressions, action units, and valence and arousal, each pair coupled in its own way."""

    COUPLINGS = (
        Coupling(relatedness=TABLE, name="units", trust=False, rule="first"),
        RelationCoupling(
            "circumplex",
            "expression",
            "affect",
            MOMENTS,
            {"moment_matching/conditional": None, "moment_co_annotation/posterior": 0.25},
            gate=False,
        ),
        RelationCoupling("muscles", "action_units", "affect", LINEAR, {"linear_matching": 0.5}),
    )
    TERMS = (
        "units_distribution_matching",
        "units_soft_co_annotation",
        "circumplex_moment_matching",
        "circumplex_moment_co_annotation",
        "muscles_linear_matching",
    )

    def test_each_has_its_own_name_scale_log_and_gate(self, three):
        history = three.fit(dataset(batch(), 6), epochs=1, verbose=0, shuffle=False).history
        assert tuple(three.coupling_names()) == self.TERMS
        assert set(three.term_scales) == set(self.TERMS)
        assert {f"{term}_loss" for term in self.TERMS} <= set(history)
        assert all(np.isfinite(history[f"{term}_loss"]).all() for term in self.TERMS)
        # Heads of a gated coupling have a gate.
        assert set(three.gates) == {"expression", "action_units", "affect"}
        assert [coupling.gated for coupling in three.couplings] == [True, False, True]

    def test_a_scale_moves_its_own_term_alone(self, three):
        data = batch()
        context = three.context(data[0], *three.extract(data[0]), *data[1:])
        before = {name: float(term.factor) for name, term in three.terms(context).items()}
        # What is labelled decides a factor that is left open; the others are as they were asked.
        assert 0 < before["circumplex_moment_matching"] < 1
        assert before["circumplex_moment_co_annotation"] == 0.25
        assert before["muscles_linear_matching"] == 0.5
        for changed in self.TERMS:
            three.term_scales[changed].assign(0.5)
            now = {name: float(term.factor) for name, term in three.terms(context).items()}
            three.term_scales[changed].assign(1.0)
            want = {name: each * (0.5 if name == changed else 1) for name, each in before.items()}
            assert now == pytest.approx(want)

    def test_saved_and_loaded(self, three, tmp_path):
        three.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert loaded.couplings == three.couplings
        assert objective(loaded, batch()) == objective(three, batch())

    @pytest.mark.parametrize("gate", [None, False])
    def test_ungated_couplings_have_no_gate_where_others_have(self, gate):
        couplings = [dataclasses.replace(self.COUPLINGS[2], gate=gate)]
        model = coupled_model(couplings=couplings, tasks=TASKS)
        assert set(model.gates) == (set() if gate is False else {"action_units", "affect"})


class TestNames:
    def test_a_second_coupling_leaves_the_firsts_names(self):
        second = UNITS.replace(name="more_units")
        tasks = (EXPRESSION, UNITS, second)
        first = Coupling(relatedness=TABLE, **PRINTED)
        other = Coupling(attributes="more_units", relatedness=TABLE, **PRINTED)
        one = coupled_model(couplings=[first], tasks=tasks)
        two = coupled_model(couplings=[first, other], tasks=tasks)
        assert one.coupling_names() == ["distribution_matching", "soft_co_annotation"]
        assert two.coupling_names(0) == one.coupling_names()
        assert two.coupling_names(1) == [
            "expression_more_units_distribution_matching",
            "expression_more_units_soft_co_annotation",
        ]
        for model in (one, two):
            model(np.zeros((1, 3), np.float32))
        names = [[variable.name for variable in model.variables] for model in (one, two)]
        assert [name for name in names[1] if "more_units_" not in name] == names[0]
        # Weights of one load into the other, in this order.
        kept = [v for v in two.weights if "more_units_" not in v.name]
        for variable, value in zip(kept, one.get_weights(), strict=True):
            assert variable.shape == value.shape

    def test_by_name(self):
        couplings = [
            Coupling(relatedness=TABLE, name="a"),
            Coupling(relatedness=TABLE, name="b", matching=0.0),
        ]
        model = coupled_model(couplings=couplings)
        assert model.coupling_names() == [
            "a_distribution_matching",
            "a_soft_co_annotation",
            "b_soft_co_annotation",
        ]

    def test_the_same_name_twice_is_refused(self):
        couplings = [Coupling(relatedness=TABLE, name="a")] * 2
        with pytest.raises(ValueError, match=r"different names, repeated: \['a'\]. Give `name`"):
            coupled_model(couplings=couplings)
