"""Scores of compounds against NumPy, by hand, and what a model lacks."""

import numpy as np
import pytest
from scipy.special import softmax

from mtl_dm.compound import SCORES, Evidence, compounds_of, zero_shot_score
from mtl_dm.relatedness import Relatedness, compound_du, compound_emotionet
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task

EXPRESSION = Task.multiclass("expression", EXPRESSIONS)
UNITS = Task.multilabel("action_units", ACTION_UNITS)
AFFECT = Task.regression("valence_arousal", ("valence", "arousal"))
TASKS = (EXPRESSION, UNITS, AFFECT)
NAMES = ("sadly angry", "happily surprised", "fearfully surprised")
N = 6


def outputs(seed=0):
    rng = np.random.default_rng(seed)
    values = rng.uniform(-1, 1, (N, 2))
    values[0, 0] = 0.0
    return {
        "expression": softmax(2 * rng.normal(size=(N, 7)), axis=1),
        "action_units": rng.uniform(0, 1, (N, 17)),
        "valence_arousal": values,
    }


def evidence(tasks=TASKS, names=NAMES, table=compound_du):
    return Evidence(tasks, outputs(), compounds_of(table(), names))


def by_loops(seen, table, names, valence=True):
    """SOURCES' formula, one number after the other."""
    found = np.zeros((N, len(names)))
    rows = table.restrict(classes=names)
    pairs = {
        "sadly angry": (2, 4), "happily surprised": (1, 5), "fearfully surprised": (3, 5),
    }  # fmt: skip
    for n in range(N):
        for k, name in enumerate(names):
            shown = total = 0.0
            for m, unit in enumerate(rows.attributes):
                share = float(rows.weights[k, m])
                shown += seen["action_units"][n, ACTION_UNITS.index(unit)] * share
                total += share
            found[n, k] = shown / total + sum(seen["expression"][n, e] for e in pairs[name])
            if valence and name == "happily surprised":
                found[n, k] += (np.sign(seen["valence_arousal"][n, 0]) + 1) / 2
    return found


@pytest.mark.parametrize("valence", [True, False])
def test_zero_shot_is_the_formula(valence):
    found = SCORES.create(f"zero_shot(valence={valence})", evidence())
    np.testing.assert_allclose(found, by_loops(outputs(), compound_du(), NAMES, valence), rtol=1e-6)


def test_zero_shot_by_hand():
    units = np.array([[1.0, 0.5, 0.0]])
    shares = np.array([[1.0, 1.0, 0.0], [0.0, 0.5, 1.5]])
    components = np.array([[0.6, 0.1]]), np.array([[0.2, 0.3]])
    # 1.5 / 2 + 0.8, and 0.25 / 2 + 0.4.
    np.testing.assert_allclose(zero_shot_score(units, shares, components), [[1.55, 0.525]])
    for valence, term in ((0.3, 1.0), (0.0, 0.5), (-0.3, 0.0)):
        found = zero_shot_score(units, shares, components, np.array([valence]), [True, False])
        np.testing.assert_allclose(found, [[1.55 + term, 0.525]])


def test_posterior_is_bayes_rule_over_the_predicted_units():
    table = Relatedness(NAMES, ACTION_UNITS[:3], np.eye(3), np.eye(3), "made up", [0.5, 0.3, 0.2])
    found = SCORES.create("posterior", Evidence(TASKS, outputs(), table))
    a = outputs()["action_units"][:, None, :3]
    likelihood = 0.9 * np.eye(3) + 0.05
    whole = np.array([0.5, 0.3, 0.2]) * np.prod(likelihood**a * (1 - likelihood) ** (1 - a), axis=2)
    np.testing.assert_allclose(found, whole / whole.sum(axis=1, keepdims=True), rtol=1e-5)


def test_product_of_components():
    p = outputs()["expression"]
    found = SCORES.create("product", evidence())
    np.testing.assert_allclose(found, np.stack([p[:, 2] * p[:, 4], p[:, 1] * p[:, 5],
                                                p[:, 3] * p[:, 5]], axis=1))  # fmt: skip


def test_a_table_is_cut_to_compounds_and_their_units():
    table = compounds_of(compound_emotionet(), NAMES[:2])
    assert table.classes == NAMES[:2]
    assert table.attributes == ("AU1", "AU2", "AU4", "AU7", "AU12", "AU15", "AU25")
    with pytest.raises(ValueError, match=r"no class \['sadly glad'\]"):
        compounds_of(compound_emotionet(), ["sadly glad"])
    nothing = Relatedness(NAMES[:1], ("AU1",), [[0.0]], [[0.0]], "made up")
    with pytest.raises(ValueError, match=r"no action unit for the compounds \['sadly angry'\]"):
        compounds_of(nothing, NAMES[:1])


FEW_UNITS = Task.multilabel("action_units", ("AU1", "AU2", "AU4", "AU12", "AU25"))
FEW_CLASSES = Task.multiclass("expression", ("happiness", "surprise", "sadness"))


@pytest.mark.parametrize(
    ("score", "tasks", "names", "message"),
    [
        ("zero_shot", (EXPRESSION, FEW_UNITS, AFFECT), NAMES[:2],
         r"'action_units' lacks action units of compounds: sadly angry \(AU7, AU15\)\. Leave"),
        ("product", (FEW_CLASSES,), NAMES,
         r"components of compounds: sadly angry \(anger\); fearfully surprised \(fear\)"),
        ("product", (EXPRESSION,), ("awed",), "'awed' has no components by its name"),
        ("product", (UNITS,), NAMES, "no multiclass task with a basic expression"),
        ("posterior", (EXPRESSION,), NAMES, "no multilabel task with an action unit"),
        ("zero_shot", (EXPRESSION, UNITS), NAMES,
         r"no regression task with valence; .* zero_shot\(valence=False\) does without"),
        ("zero_shoot", TASKS, NAMES, "Unknown score of compounds 'zero_shoot'. Known: posterior"),
    ],
)  # fmt: skip
def test_what_a_model_lacks_is_named(score, tasks, names, message):
    with pytest.raises(ValueError, match=message):
        SCORES.create(score, evidence(tasks, names, compound_emotionet))


def test_a_score_of_a_user_needs_no_other_edit(monkeypatch):
    monkeypatch.setattr(SCORES, "_entries", dict(SCORES._entries))

    @SCORES.register("loudest_unit")
    def loudest_unit(found, *, power: float = 1.0):
        return (found.units[:, None] * found.table.weights).max(axis=2) ** power

    texts = ("loudest_unit", "loudest_unit(power=2.0)")
    plain, squared = (SCORES.create(text, evidence()) for text in texts)
    assert plain.shape == (N, len(NAMES))
    np.testing.assert_allclose(squared, plain**2)


def test_what_does_not_fit_is_refused():
    units, pair = np.ones((2, 3)), (np.ones((2, 1)), np.ones((2, 1)))
    with pytest.raises(ValueError, match=r"do not fit each other: \(2, 3\), \(1, 4\)"):
        zero_shot_score(units, np.ones((1, 4)), pair)
    with pytest.raises(ValueError, match="row 0 of the shares is 0"):
        zero_shot_score(units, np.zeros((1, 3)), pair)
    with pytest.raises(ValueError, match="positive"):
        zero_shot_score(units, np.ones((1, 3)), pair, np.ones(2))
