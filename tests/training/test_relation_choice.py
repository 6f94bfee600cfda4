"""Couplings with a regression from their names, without data that are built."""

import dataclasses

import numpy as np
import pytest

from mtl_dm import data
from mtl_dm.losses import (
    COUPLING_FORMS,
    LINEAR_FORMS,
    MATCHING_EQUATIONS,
    MATCHING_FORMS,
    coupling_form,
)
from mtl_dm.models import Coupling, RelationCoupling
from mtl_dm.relatedness import (
    PUBLISHED,
    RELATIONS,
    Linear,
    moments_from_annotations,
    russell,
)
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task
from mtl_dm.training import assembly
from mtl_dm.training.config import TrainConfig

EXPRESSION = Task.multiclass("expression", EXPRESSIONS)
UNITS = Task.multilabel("action_units", ACTION_UNITS[:3])
AFFECT = Task.regression("affect", ("valence", "arousal"), bounds=(-1, 1))
TASKS = (EXPRESSION, UNITS, AFFECT)
NAMES = tuple(task.name for task in TASKS)
ROWS = 90


def couplings(*texts, tasks=TASKS, **fields):
    names = tuple(task.name for task in tasks)
    config = TrainConfig(
        **{"datasets": ("a",), "tasks": names, "couplings": texts, "augment": False, **fields}
    )
    return assembly.couplings_of(config, tasks)


@pytest.fixture
def annotated(monkeypatch):
    """Labels of a data set that has all of them, but for a few."""
    rng = np.random.default_rng(0)
    ids, units = np.arange(ROWS) % 7, rng.integers(0, 2, (ROWS, 3)).astype(float)
    values = rng.uniform(-1, 1, (ROWS, 2))
    masks = [np.ones(ROWS), np.ones((ROWS, 3)), np.ones((ROWS, 2))]
    for mask in masks:
        mask[:5] = 0
    arrays = dict(zip(NAMES, zip((ids, units, values), masks, strict=True), strict=True))
    monkeypatch.setattr(
        data, "label_arrays", lambda name, *, tasks, **_: {t.name: arrays[t.name] for t in tasks}
    )
    return arrays


def test_three_couplings_on_the_command_line(annotated):
    first, second, third = couplings(
        "units(relation=inferred:a, target=action_units)",
        "circumplex(relation=russell, target=affect, matching=0.5, gate=False)",
        "muscles(relation='inferred:a', source=action_units, target=affect)",
    )
    assert isinstance(first, Coupling)
    assert (second.name, second.source, second.target) == ("circumplex", "expression", "affect")
    assert second.relation == russell()
    assert second.forms == {
        "moment_matching/conditional": 0.5,
        "moment_co_annotation/posterior": None,
    }
    assert (second.gate, second.learned) == (False, False)
    assert isinstance(third.relation, Linear)
    assert third.forms == {"linear_matching": None}
    assert third.relation.attributes == UNITS.labels


def test_moments_are_counted_where_a_data_set_has_both(annotated):
    (found,) = couplings("circumplex(relation='inferred:a', source=expression, target=affect)")
    values = np.where(annotated["affect"][1] > 0, annotated["affect"][0], np.nan)
    ids = np.where(annotated["expression"][1] > 0, annotated["expression"][0], -1)
    want = moments_from_annotations(
        ids, values, classes=EXPRESSIONS, values=AFFECT.labels, pooled=1.0
    )
    assert found.relation == want


@pytest.mark.parametrize("start", ["", ":russell"])
def test_moments_are_learned_from_a_start_or_from_nothing(annotated, start):
    text = f"circumplex(relation='learned{start}', source=expression, target=affect)"
    (found,) = couplings(text, epochs=2)
    assert found.learned
    assert bool(np.ptp(found.relation.mean, axis=0).any()) == bool(start)


def test_relatedness_alone_is_enough_for_two_tasks():
    tasks = (EXPRESSION.replace(labels=EXPRESSIONS[1:]), AFFECT)
    (found,) = couplings(tasks=tasks, relatedness="russell(deviation=0.5)")
    assert isinstance(found, RelationCoupling)
    assert found.name == "expression_affect"
    assert "neutral" not in found.relation.classes
    np.testing.assert_allclose(found.relation.covariance[0], 0.25 * np.eye(2))


def test_a_file_of_any_kind(tmp_path):
    path = tmp_path / "mine.json"
    linear = Linear(UNITS.labels, AFFECT.labels, np.ones((3, 2)), [0, 0], "mine")
    linear.to_json(path)
    (found,) = couplings(f"muscles(relation='{path}')")
    assert (found.source, found.relation) == ("action_units", linear)


@pytest.fixture
def own_forms(monkeypatch):
    for registry in (COUPLING_FORMS, MATCHING_EQUATIONS):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))

    def own(*arguments, scale: float = 1.0):
        return scale, 1.0

    LINEAR_FORMS.register("own_linear")(own)
    MATCHING_EQUATIONS.register("own_equation")(lambda *arguments, epsilon=0.1: 0.0)


@pytest.mark.usefixtures("own_forms", "annotated")
def test_forms_of_a_user_are_typed_by_their_names():
    (linear,) = couplings(
        "a(relation='inferred:a', source=action_units, target=affect, matching=0.5,"
        " matching_form='own_linear(scale=2)')"
    )
    assert linear.forms == {"linear_matching/own_linear": 0.5}
    assert linear.options == {"linear_matching/own_linear": {"scale": 2.0}}
    assert "own_equation" in MATCHING_FORMS
    (table,) = couplings(relatedness="facs", matching_form="own_equation", tasks=TASKS[:2])
    assert (table.matching_form, table.co_annotation_form) == ("own_equation", "posterior")


@pytest.mark.usefixtures("own_forms", "annotated")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a(relation=russell, matching_form=own_linear)", "'moment_matching/own_linear'"),
        ("a(relation=facs, matching_form=own_linear)", "Unknown matching form 'own_linear'"),
        (
            "a(relation='inferred:a', source=action_units, target=affect, matching_form=js)",
            "Unknown form of a linear relation 'js'. Known: own_linear",
        ),
        ("a(relation=facs, matching_form=none_such)", "Known: .*conditional.*, own_linear, paper"),
    ],
)
def test_forms_of_another_kind_of_relation(text, message):
    with pytest.raises(ValueError, match=message):
        couplings(text)


def test_options_of_a_form_of_values_are_typed():
    (found,) = couplings("a(relation=russell, matching_form='batch(images=2)')")
    assert found.options["moment_matching/batch"] == {"images": 2.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a(relation=facs, target=affect)", "'a' fits no two of the tasks .* by probabilities"),
        ("a(relation=russell, target=action_units)", "'a' fits no two .*regression by moments"),
        ("a(relation=russell, source=action_units)", "'a' fits no two of the tasks"),
        ("a(relation=russell, matching_form=js)", "Unknown coupling form 'moment_matching/js'"),
        ("a(relation=russell, trust=True)", "'a': labels judge tables from classes to attributes"),
        (
            "a(relation='learned', source=action_units, target=affect)",
            "Only moments are learned, .*'action_units' is multilabel",
        ),
        (
            "a(relation='inferred:a', source=action_units, target=affect, co_annotation=1.0)",
            "has one term, whose factor is matching .* leave co_annotation out",
        ),
    ],
)
def test_couplings_that_cannot_be(text, message, annotated):
    with pytest.raises(ValueError, match=message):
        couplings(text, epochs=2)


@dataclasses.dataclass(frozen=True)
class Never:
    """A kind of a user's own: what no image of a class shows."""

    kind = "never"
    sides = (("classes", "multiclass"), ("attributes", "multilabel"))
    classes: tuple[str, ...] = ("anger",)
    attributes: tuple[str, ...] = ("AU1",)

    def to_dict(self):
        return dataclasses.asdict(self)


@pytest.fixture
def never(monkeypatch):
    for registry in (RELATIONS, PUBLISHED, COUPLING_FORMS):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    RELATIONS.register("never")(Never)
    PUBLISHED.register("no_frowns")(Never)


@pytest.fixture
def never_form(never):
    @coupling_form("never_both", ("never",))
    def form(source, target, relation, labels, masks):
        raise NotImplementedError


def test_a_relation_of_a_kind_of_ones_own(never_form):
    (given,) = couplings("mine(relation=no_frowns, matching=0.5, gate=False)")
    assert given == RelationCoupling(
        "mine", "expression", "action_units", Never(), {"never_both": 0.5}, gate=False
    )
    (named,) = couplings("mine(relation=no_frowns, source=expression, target=action_units)")
    assert named.forms == {"never_both": None}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mine(relation=no_frowns, co_annotation=1.0)", "leave co_annotation out"),
        ("mine(relation=no_frowns, matching_form=paper)", "leave matching_form out"),
        ("mine(relation=no_frowns, trust=True)", "leave trust out"),
        ("mine(relation='learned:no_frowns')", "of the kind 'never' is not learned"),
        ("mine(relation=no_frowns, target=affect)", r"fits no two of .* by never\. There are: "),
    ],
)
def test_what_a_relation_of_ones_own_has_not(never_form, text, message):
    with pytest.raises(ValueError, match=message):
        couplings(text)


def test_a_relation_of_ones_own_without_a_form(never):
    with pytest.raises(ValueError, match="has no form: register one by coupling_form"):
        couplings("mine(relation=no_frowns)")
