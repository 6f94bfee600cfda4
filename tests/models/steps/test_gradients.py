"""The step of methods that see gradients, against one tape a term and NumPy."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.balancing import MGDA, EqualWeighting, GradNorm, Uncertainty
from mtl_dm.models.balance_log import log, trackers_of
from mtl_dm.models.objective import parts_of
from mtl_dm.models.steps import backend
from mtl_dm.models.steps.scopes import is_shared, last_kernel
from tests.balancing.methods import EqualNorms
from tests.models.cases import AFFECT, EXPRESSION, UNITS, coupled_model, dataset, random_batch
from tests.models.providers import Ancestor, Centre, Raw

TASKS = (EXPRESSION, UNITS, AFFECT)
ROWS = 16


def model_with(method, backbone=None):
    model = coupled_model(backbone, tasks=TASKS, balancing=method, terms=[Centre()])
    model(np.zeros((1, 3), np.float32))
    model.compile(keras.optimizers.SGD(1.0), run_eagerly=True)
    return model


def batch():
    return random_batch(ROWS, seed=3, junk=np.nan, tasks=TASKS)


def separate(model, data):
    """By name of the term: its part, its gradients, its gradient with respect to the features."""
    inputs, labels, masks = data
    variables = [each.value for each in model.trainable_variables]
    found = {}
    for name in model.term_trackers:
        with tf.GradientTape() as tape:
            features, extras = model.extract(inputs, training=True)
            parts = parts_of(model.terms(model.context(inputs, features, extras, labels, masks)))
        rows = tape.gradient(
            parts[name], [*variables, features["expression"]], unconnected_gradients="zero"
        )
        found[name] = (float(parts[name]), [each.numpy().astype(np.float64) for each in rows])
    return found


def watched(model, monkeypatch):
    """What the method sees, as it sees it."""
    seen, method = [], model.balancing
    weigh = type(method).weigh

    def weigh_and_tell(self, step):
        seen.append(step)
        return weigh(self, step)

    monkeypatch.setattr(type(method), "weigh", weigh_and_tell)
    return seen


def moved_by(model, data):
    """What one step of SGD with rate 1 takes from every trainable weight."""
    before = [each.numpy() for each in model.trainable_variables]
    model.fit(dataset(data, ROWS), verbose=0, shuffle=False)
    return [
        old.astype(np.float64) - new.numpy()
        for old, new in zip(before, model.trainable_variables, strict=True)
    ]


def in_scope(model, rows, scope):
    if scope == "features":
        return rows[-1].ravel()
    if scope == "last_layer":
        return rows[last_kernel(model)].ravel()
    backbone = {id(each) for each in model.backbone.trainable_variables}
    places = [i for i, each in enumerate(model.trainable_variables) if id(each) in backbone]
    assert 0 < len(places) < len(rows) - 1
    return np.concatenate([rows[place].ravel() for place in places])


@pytest.mark.parametrize(
    "method",
    [
        MGDA,
        lambda: MGDA("loss+"),
        lambda: MGDA(scope="features"),
        lambda: MGDA(balances="tasks"),
        EqualNorms,
        GradNorm,
    ],
    ids=["mgda", "mgda loss+", "mgda features", "mgda tasks", "user's", "gradnorm"],
)
@pytest.mark.parametrize("backbone", [None, Raw], ids=["plain", "adds a loss"])
def test_the_step_is_the_weighted_sum_of_separate_gradients(method, backbone, monkeypatch):
    model, data = model_with(method(), backbone and backbone()), batch()
    method = model.balancing
    if isinstance(method, GradNorm):
        method.task_weights.assign(np.linspace(0.5, 1.5, len(method.names)))
    found = separate(model, data)
    seen = watched(model, monkeypatch)
    got = moved_by(model, data)
    (step,) = seen

    assert step.names == method.names
    assert ("auxiliary" in found) == (backbone is not None)
    if method.balances == "all":
        assert set(step.names) == set(found)
    np.testing.assert_allclose(step.losses, [found[n][0] for n in step.names], rtol=1e-5)
    rows = np.stack([in_scope(model, found[name][1], method.scope) for name in step.names])
    gram = rows @ rows.T
    np.testing.assert_allclose(step.gram, gram, rtol=1e-4, atol=1e-6 * gram.max())
    assert step.features is None

    weights = dict(zip(step.names, keras.ops.convert_to_numpy(method.weigh(step)), strict=True))
    if isinstance(method, GradNorm):  # It has learned from the step since.
        weights = dict(zip(step.names, np.linspace(0.5, 1.5, len(step.names)), strict=True))
    for place, shared in enumerate(is_shared(model)):
        want = sum(
            (weights.get(name, 1.0) if shared or method.weighs_heads else 1.0) * rows[place]
            for name, (_, rows) in found.items()
        )
        # An SGD step of the size of the weights loses what float32 loses of them.
        np.testing.assert_allclose(got[place], want, rtol=1e-4, atol=3e-6)


@pytest.mark.parametrize("method", [MGDA, EqualWeighting])
def test_features_that_others_are_made_of_give_their_gradient_once(method):
    model = coupled_model(Ancestor(), tasks=TASKS, balancing=method(), log_gradients=True)
    model(np.zeros((1, 3), np.float32))
    model.compile(keras.optimizers.SGD(1.0), run_eagerly=True)
    found = separate(model, batch())
    grams = []
    model.log_balance = lambda weights, gram, usable=True: grams.append((weights, gram))
    got = moved_by(model, batch())
    (weights, gram), names = grams[0], model.balancing.names
    rows = np.stack([in_scope(model, found[name][1], "shared") for name in names])
    np.testing.assert_allclose(gram, rows @ rows.T, rtol=1e-4, atol=1e-6)
    for place, shared in enumerate(is_shared(model)):
        by = weights.numpy() if shared and weights is not None else np.ones(len(names))
        want = sum(by[i] * found[name][1][place] for i, name in enumerate(names))
        np.testing.assert_allclose(got[place], want, rtol=1e-4, atol=3e-6)


def test_a_term_without_labels_is_not_present(monkeypatch):
    model, (x, labels, masks) = model_with(MGDA()), batch()
    seen = watched(model, monkeypatch)
    masks["affect"][:] = 0
    moved_by(model, (x, labels, masks))
    place = seen[0].names.index("affect")
    assert seen[0].present.numpy().tolist() == [
        float(i != place) for i in range(len(seen[0].names))
    ]
    assert seen[0].losses.numpy()[place] == 0
    assert not seen[0].gram.numpy()[place].any()


@pytest.mark.parametrize("method", [lambda: MGDA(scope="features"), GradNorm])
def test_features_of_their_own_for_each_task_are_refused_where_one_is_needed(method):
    inputs = keras.Input((3,))
    backbone = keras.Model(
        inputs, {task.name: keras.layers.Dense(6, name=task.name)(inputs) for task in TASKS}
    )
    model = model_with(method(), backbone)
    with pytest.raises(ValueError, match=r"one representation .*'action_units'.* Use scope=shared"):
        model.fit(dataset(batch(), ROWS), verbose=0, shuffle=False)


def test_compiled_gradients_of_terms_equal_separate_tapes():
    # Those that the validation gate judges by: without factors, as the network predicts.
    model, data = model_with(None), batch()
    names = list(model.term_trackers)
    got = backend().term_gradients(model)(data, names)
    assert list(got) == names
    for name in names:
        with tf.GradientTape() as tape:
            loss = model.term_losses(*data)[name]
        rows = tape.gradient(
            loss, [each.value for each in model.trainable_variables], unconnected_gradients="zero"
        )
        want = np.concatenate([row.numpy().ravel() for row in rows])
        assert want.any()
        np.testing.assert_allclose(got[name], want, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", [MGDA, EqualWeighting, Uncertainty])
def test_weights_and_cosines_are_logged_in_training(method):
    model = coupled_model(tasks=TASKS, balancing=method(), log_gradients=True)
    model(np.zeros((1, 3), np.float32))
    model.compile(keras.optimizers.SGD(1e-3), run_eagerly=True)
    data = batch()
    found = separate(model, data)
    names = model.balancing.names
    logs = model.fit(dataset(data, ROWS), verbose=0, shuffle=False).history
    rows = {name: in_scope(model, found[name][1], "shared") for name in names}
    for one, other in itertools.combinations(names, 2):
        lengths = np.linalg.norm(rows[one]) * np.linalg.norm(rows[other])
        want = rows[one] @ rows[other] / lengths
        assert logs[f"{one}_and_{other}_cosine"][0] == pytest.approx(want, abs=1e-4)
    weights = [logs[f"{name}_weight"][0] for name in names]
    if method is MGDA:
        assert sum(weights) == pytest.approx(1.0, abs=1e-5)
    else:
        assert weights == [1.0] * len(names)
    evaluated = model.evaluate(dataset(data, ROWS), verbose=0, return_dict=True)
    assert not any(name.endswith(("_weight", "_cosine")) for name in evaluated)
    assert keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(model)
    ).log_gradients


@pytest.mark.parametrize("method", [MGDA, EqualWeighting, Uncertainty])
def test_weights_alone_are_logged_in_training(method):
    model = coupled_model(tasks=TASKS, balancing=method(), log_weights=True)
    model(np.zeros((1, 3), np.float32))
    model.compile(keras.optimizers.SGD(1e-3), run_eagerly=True)
    logs = model.fit(dataset(batch(), ROWS), verbose=0, shuffle=False).history
    weights = [logs[f"{name}_weight"][0] for name in model.balancing.names]
    total = 1.0 if method is MGDA else len(weights)
    assert sum(weights) == pytest.approx(total, abs=1e-5)
    assert not any(name.endswith("_cosine") for name in logs)
    assert keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(model)
    ).log_weights


@pytest.mark.parametrize("method", [MGDA, lambda: MGDA(scope="features"), GradNorm])
def test_a_frozen_backbone_under_a_method_that_compares_gradients_over_it(method):
    model = model_with(method())
    model.backbone.trainable = False
    with pytest.raises(ValueError, match=r"over the shared weights, but .* has none that are tra"):
        model.fit(dataset(batch(), ROWS), verbose=0, shuffle=False)


def test_gradients_over_a_frozen_backbone_are_logged_as_none():
    model = coupled_model(tasks=TASKS, log_gradients=True)
    model(np.zeros((1, 3), np.float32))
    model.backbone.trainable = False
    model.compile("sgd", run_eagerly=True)
    logs = model.fit(dataset(batch(), ROWS), verbose=0, shuffle=False).history
    assert logs["expression_weight"] == [1.0]
    assert logs["expression_and_affect_cosine"] == [0.0]


def test_too_many_terms_to_log():
    with pytest.raises(ValueError, match="at most 12 balanced terms, these are 13"):
        trackers_of([f"t{place}" for place in range(13)])


def test_what_is_made_of_gradients_that_are_not_finite_is_not_logged():
    trackers = trackers_of(["a", "b"])
    log(trackers, ["a", "b"], np.float32([0.2, 0.8]), np.eye(2, dtype=np.float32))
    overflown = np.full((2, 2), np.inf, np.float32)
    log(trackers, ["a", "b"], np.ones(2, np.float32), overflown, usable=False)
    assert float(trackers["a_weight"].result()) == pytest.approx(0.2)
    assert float(trackers["a_and_b_cosine"].result()) == 0.0
