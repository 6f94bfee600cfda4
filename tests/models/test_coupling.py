import json

import numpy as np
import pytest

from mtl_dm.models import Coupling, MultiTaskModel
from mtl_dm.relatedness import facs
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task
from tests.models.cases import EXPRESSION, TABLE, UNITS, coupled_model, trunk


def test_defaults():
    coupling = Coupling()
    assert (coupling.classes, coupling.attributes) == ("expression", "action_units")
    assert coupling.relatedness == facs()
    assert (coupling.matching, coupling.co_annotation) == (None, None)
    assert (coupling.matching_form, coupling.co_annotation_form) == ("conditional", "posterior")
    assert not coupling.learned
    tasks = [
        Task.multiclass("expression", EXPRESSIONS),
        Task.multilabel("action_units", ACTION_UNITS),
    ]
    assert set(MultiTaskModel(trunk(), tasks, [coupling]).term_trackers) == {
        "expression", "action_units", "distribution_matching", "soft_co_annotation",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "trusts"),
    [
        ({}, True),
        ({"trust": False}, False),
        ({"learned": True}, False),
        ({"matching_form": "paper"}, False),
        ({"co_annotation_form": "paper"}, False),
        ({"matching_form": "paper", "matching": 0.0}, True),
        ({"matching_form": "paper", "trust": True}, True),
        ({"matching": 0.0, "co_annotation": 0.0}, False),
    ],
)
def test_labels_judge_a_table_unless_a_printed_form_is_in_use(fields, trusts):
    coupling = Coupling(**fields)
    assert coupling.trusts == trusts
    assert Coupling.from_dict(coupling.to_dict()) == coupling


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"trust": 1}, "trust must be None, True or False, got 1"),
        ({"trust": True, "learned": True}, "with learned=True training replaces it anyway"),
    ],
)
def test_bad_trust(fields, said):
    with pytest.raises(ValueError, match=said):
        Coupling(**fields)


def test_cannot_be_changed():
    with pytest.raises(AttributeError):
        Coupling().matching = 2.0


@pytest.mark.parametrize("field", ["matching", "co_annotation"])
@pytest.mark.parametrize("factor", [-1.0, float("nan"), float("inf"), "1"])
def test_bad_factor(field, factor):
    with pytest.raises(ValueError, match=f"Coupling {field} must be None or finite and >= 0"):
        Coupling(**{field: factor})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"matching_form": "kl"}, r"Unknown matching form 'kl'\. Known: .*bernoulli.*paper"),
        ({"co_annotation_form": "kl"}, r"Unknown co-annotation form 'kl'\. Known: .*distillation"),
        (
            {"matching_form": "paper", "matching_options": {"epsilom": 1e-3}},
            r"matching form 'paper' has no option \['epsilom'\]\. Known: \['epsilon'\]",
        ),
        (
            {"co_annotation_form": "distillation", "co_annotation_options": {"epsilon": 1e-3}},
            r"'distillation' has no option \['epsilon'\]\. Known: \[\]",
        ),
        (
            {"matching_options": {"clip": 0.0}},
            "Option 'clip' of .*'conditional' must lie .*0.5, got 0",
        ),
        ({"matching_options": {"clip": 0.5}}, "must lie between 0 and 0.5, got 0.5"),
        ({"matching_options": {"clip": "a"}}, "must be a finite number, got 'a'"),
        ({"co_annotation_options": {"temperature": np.inf}}, "must be a finite number, got inf"),
        ({"co_annotation_options": {"temperature": 0}}, "'temperature' of .* 0 and inf, got 0"),
        ({"rule": "kl"}, r"Unknown rule of the factors 'kl'\. Known: apart, first"),
        ({"matching_options": None}, "Options of .*'conditional' must be a mapping, got None"),
        ({"relatedness": np.zeros((7, 17))}, "relatedness must be a mtl_dm.Relatedness.*ndarray"),
        ({"relatedness": "facs"}, r"relatedness must be a mtl_dm\.Relatedness.*str"),
    ],
)
def test_bad_fields(fields, message):
    with pytest.raises(ValueError, match=message):
        Coupling(**fields)


def test_numpy_numbers_will_do():
    coupling = Coupling(
        matching=np.float32(0.5),
        co_annotation=np.int64(1),
        co_annotation_options={"temperature": np.float32(2)},
    )
    assert (coupling.matching, coupling.co_annotation) == (0.5, 1)


def test_a_form_that_is_switched_off_is_checked_all_the_same():
    with pytest.raises(ValueError, match="Unknown matching form"):
        Coupling(matching=0.0, matching_form="kl")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"learned": True, "matching": None, "co_annotation": 0.25},
        {"rule": "first"},
        {
            "matching": 0.5,
            "co_annotation": 0.0,
            "matching_form": "bernoulli",
            "matching_options": {"epsilon": 1e-3},
        },
    ],
)
def test_round_trip_through_json(fields):
    coupling = Coupling(relatedness=TABLE, **fields)
    assert Coupling.from_dict(json.loads(json.dumps(coupling.to_dict()))) == coupling


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"classes": "emotion"},
            r"unknown task 'emotion'\. Known: \['action_units', 'expression'\]",
        ),
        ({"attributes": "units"}, "unknown task 'units'"),
        ({"classes": "action_units"}, "needs a multiclass task, 'action_units' is multilabel"),
        ({"attributes": "expression"}, "needs a multilabel task, 'expression' is multiclass"),
        (
            {"relatedness": facs().restrict(classes=["neutral", "anger", "disgust"])},
            r"'expression' does not have: \['anger', 'disgust'\]. The task has \['neutral'",
        ),
        (
            {"relatedness": facs().restrict(["neutral", "fear"], ["AU1", "AU26"])},
            r"'action_units' does not have: \['AU26'\]",
        ),
    ],
)
def test_a_coupling_must_fit_the_tasks(fields, message):
    with pytest.raises(ValueError, match=message):
        coupled_model(couplings=[Coupling(**{"relatedness": TABLE, **fields})])


def test_tasks_must_have_names_of_their_own():
    with pytest.raises(ValueError, match=r"unique, repeated: \['expression'\]"):
        coupled_model(tasks=[EXPRESSION, UNITS, EXPRESSION])
    with pytest.raises(ValueError, match="At least one task"):
        coupled_model(tasks=[])
