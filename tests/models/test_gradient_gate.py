"""What a gate lets through, what it remembers, and what stays as it is."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.models import Coupling, RelationCoupling
from mtl_dm.models.coupling import coupling_from_dict
from mtl_dm.models.gradient_gate import AtLogits, GradientGate, in_words, learn
from tests.models.cases import TABLE, coupled_model, dataset, random_batch

OWN = Coupling(relatedness=TABLE)
RNG = np.random.default_rng(1)


def gate(width=4, size=3):
    made = GradientGate(size)
    made.build((None, width))
    return made


def said(rows=5, width=4, size=3, **changed):
    parts = {"features": (rows, width), "own": (rows, size), "coupled": (rows, size)}
    drawn = {name: RNG.normal(size=shape).astype(np.float32) for name, shape in parts.items()}
    return AtLogits(**{**drawn, **changed})


def learn_alone(gate, at, counted, taken):
    learn({"one": gate}, {"one": at}, counted, taken)


def state(of):
    return [keras.ops.convert_to_numpy(each) for each in of.weights]


@pytest.mark.parametrize("opening", [0.0, 0.3, 1.0])
def test_values_pass_and_the_gradient_by_the_opening(opening):
    made = gate()
    made.opening.assign(opening)
    logits = tf.constant(RNG.normal(size=(2, 3)) * 1e3, "float32")
    with tf.GradientTape() as tape:
        tape.watch(logits)
        passed = made.passed(logits)
    np.testing.assert_array_equal(passed, logits)
    np.testing.assert_allclose(tape.gradient(passed, logits), np.full((2, 3), opening), rtol=1e-6)


def test_steps_are_judged_by_the_step_before():
    # Steps that agree with each other: others judge nothing.
    made, first = gate(), said()
    drawn = [said() for _ in range(3)]
    steps = [AtLogits(*(a + 0.3 * b for a, b in zip(first, each, strict=True))) for each in drawn]
    for each in steps:
        learn_alone(made, each, None, True)
    own, coupled = (
        [getattr(each, name).T @ (each.features - each.features.mean(0)) for each in steps]
        for name in ("own", "coupled")
    )

    def cosine(a, b):
        return np.sum(a * b) / np.linalg.norm(a) / np.linalg.norm(b)

    u = [cosine(coupled[k - 1], own[k]) for k in (1, 2)]
    v = [cosine(own[k - 1], own[k]) for k in (1, 2)]
    # The running mean before the first step that is judged is its own v.
    w = np.array([np.linalg.norm(own[k]) for k in (1, 2)]) * max(0, v[0]) ** 2
    _, _, evidence, (last_own, last_coupled) = state(made)
    running = 0.02 * (0.98 * v[0] + v[1])
    want = [2, running, w.sum(), w @ w, w @ u, w**2 @ u, w**2 @ np.square(u), w @ v]
    assert w.sum() > 0
    np.testing.assert_allclose(evidence, want, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(last_own, own[-1], atol=1e-4)
    np.testing.assert_allclose(last_coupled, coupled[-1], atol=1e-4)


def test_what_a_step_says_nothing_of_stays():
    made, nothing = gate(), np.zeros((5, 3), np.float32)
    learn_alone(made, said(), None, True)
    before = state(made)
    broken = said(own=np.full((5, 3), np.nan, np.float32))
    for step, taken in ((said(), False), (broken, True)):
        learn_alone(made, step, None, taken)
        for old, new in zip(before, state(made), strict=True):
            np.testing.assert_array_equal(new, old, "a step that is not taken, or not finite")
    learn_alone(made, said(own=nothing), None, True)
    after = state(made)
    for place in (0, 1, 2):
        np.testing.assert_array_equal(after[place], before[place], "no label of the task")
    np.testing.assert_array_equal(after[3][0], before[3][0], "no label of the task")
    assert np.any(after[3][1] != before[3][1])
    learn_alone(made, said(coupled=nothing), None, True)
    assert not np.any(state(made)[3][1]), "what was asked for before has been judged"


def test_a_head_that_nobody_labels_is_open_until_somebody_does():
    made, nothing = gate(), np.zeros((5, 3), np.float32)
    opened = []
    for own in (nothing, nothing, None, nothing):
        learn_alone(made, said() if own is None else said(own=own), None, True)
        opened.append(float(made.opening))
    assert opened == [1, 1, 0, 0]


def agreeing(count):
    """Steps in which what couplings ask for is what labels say."""
    first = said()
    for _ in range(count):
        drawn = [a + 0.1 * b for a, b in zip(first, said(), strict=True)]
        yield AtLogits(drawn[0], drawn[1], drawn[1])


def test_a_gate_that_is_held_learns_and_stays_closed_until_it_is_released():
    held, free = gate(), gate()
    held.hold()
    for each in agreeing(20):
        for one in (held, free):
            learn_alone(one, each, None, True)
        assert (held.held, float(held.opening)) == (True, 0.0)
    assert float(free.opening) > 0.9
    for share, want in ((0.3, float(free.opening)), (0.0, 0.0)):
        held.release(share)
        assert not held.held
        assert float(held.opening) == pytest.approx(want, abs=1e-3)
    assert not np.any(state(held)[3][1]), "what was asked for before the release"
    free.hold()
    assert not any(np.any(each) for each in state(free)[2:])


def test_a_gate_that_is_believed_is_open_until_other_images_refute_it():
    made = gate()
    made.hold()
    made.release(0.0, believed=True)
    first = said()
    opened = [float(made.opening)]
    for _ in range(20):  # What couplings ask for is the opposite of what labels say.
        drawn = [a + 0.1 * b for a, b in zip(first, said(), strict=True)]
        learn_alone(made, AtLogits(drawn[0], drawn[1], -drawn[1]), None, True)
        opened.append(float(made.opening))
    assert opened[:5] == [1.0] * 5, "too few steps refute nothing"
    assert opened[-1] == 0.0
    assert opened == sorted(opened, reverse=True)
    assert (made.refuted, gate().refuted) == (True, False)
    other = gate()  # What it does is among its weights.
    other.set_weights(made.get_weights())
    for one in (made, other):
        learn_alone(one, first, None, True)
    np.testing.assert_array_equal(state(made)[0], state(other)[0])


def test_what_was_asked_for_is_judged_once():
    made, nothing = gate(), np.zeros((5, 3), np.float32)
    first, *steps = agreeing(4)
    learn_alone(made, first, None, True)
    counts = []
    for each in steps:
        learn_alone(made, each._replace(coupled=nothing), None, True)
        counts.append(state(made)[2][0])
    assert counts == [1, 1, 1]


def test_virtual_rows_take_no_part():
    made, alone, rows = gate(), gate(), said()
    real = np.array([1, 0, 1, 1, 0], np.float32)
    rows.features[1] = np.inf
    learn_alone(made, rows, real, True)
    learn_alone(alone, AtLogits(*(each[real > 0] for each in rows)), None, True)
    for one, other in zip(state(made), state(alone), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_parts_are_judged_by_their_mean_features():
    made, alone = gate(), gate()
    features, own = (RNG.normal(size=(5, 2, n)).astype(np.float32) for n in (4, 3))
    rows = said(features=features, own=own)
    learn_alone(made, rows, None, True)
    learn_alone(alone, rows._replace(features=features.mean(1), own=own.sum(1)), None, True)
    for one, other in zip(state(made), state(alone), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_heads_are_judged_at_once_as_each_alone():
    both, apart = ({"a": gate(size=3), "b": gate(size=2)} for _ in range(2))
    for taken in (True, True, False, True):
        shared = RNG.normal(size=(5, 4)).astype(np.float32)
        at = {name: said(size=each.size, features=shared) for name, each in both.items()}
        learn(both, at, None, taken)
        for name, each in apart.items():
            learn_alone(each, at[name], None, taken)
    for name, each in both.items():
        for one, other in zip(state(each), state(apart[name]), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_which_couplings_are_gated():
    assert OWN.gated
    assert not dataclasses.replace(OWN, gate=False).gated
    printed = Coupling(relatedness=TABLE, matching_form="paper")
    assert not printed.gated
    assert dataclasses.replace(printed, gate=True).gated
    assert dataclasses.replace(printed, matching=0.0).gated, "a form that is off is not in use"
    relation = RelationCoupling(
        "one", "expression", "action_units", TABLE, {"distribution_matching/paper": 1.0}
    )
    assert not relation.gated
    assert set(coupled_model().gates) == set()
    assert set(coupled_model(couplings=[OWN]).gates) == {"expression", "action_units"}


@pytest.mark.parametrize("chosen", [None, True, False])
def test_a_description_leaves_out_what_was_so_before_there_were_gates(chosen):
    relation = RelationCoupling(
        "one", "expression", "action_units", TABLE, {"distribution_matching/js": 1.0}, gate=chosen
    )
    for coupling in (dataclasses.replace(OWN, gate=chosen), relation):
        written = coupling.to_dict()
        assert ("gate" in written) == (chosen is not False)
        assert coupling_from_dict(written).gate is chosen


def test_a_model_keeps_its_gates_and_one_without_any_loads(tmp_path):
    x, *_ = batch = random_batch(8)
    model = coupled_model(couplings=[OWN])
    model(x)
    model.compile(keras.optimizers.SGD(0.1))
    history = model.fit(dataset(batch, 4), verbose=0, shuffle=False).history
    assert {"expression_gate", "action_units_gate"} <= set(history)
    kept = model.gates["expression"]
    kept.opening.assign(0.25)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    for one, other in zip(state(kept), state(loaded.gates["expression"]), strict=True):
        np.testing.assert_array_equal(one, other)

    old = coupled_model(couplings=[dataclasses.replace(OWN, gate=False)])
    old(x)
    old.save_weights(tmp_path / "old.weights.h5")
    new = coupled_model(couplings=[OWN])
    new(x)
    new.load_weights(tmp_path / "old.weights.h5")
    np.testing.assert_array_equal(new(x)["expression"], old(x)["expression"])
    assert not state(new.gates["expression"])[0]


def weights_after_a_step(opening):
    """Opening None: ungated; "off": uncoupled."""
    couplings = {None: [dataclasses.replace(OWN, gate=False)], "off": []}.get(opening, [OWN])
    keras.utils.set_random_seed(3)
    model = coupled_model(couplings=couplings)
    x, *_ = batch = random_batch(8, seed=4)
    model(x)
    if isinstance(opening, float):
        for each in model.gates.values():
            each.opening.assign(opening)
    model.compile(keras.optimizers.SGD(0.5), run_eagerly=True)
    losses = model.fit(dataset(batch, 8), verbose=0, shuffle=False).history["loss"]
    return np.concatenate(
        [keras.ops.convert_to_numpy(w).ravel() for w in model.trainable_weights]
    ), losses


def test_a_step_takes_the_gradient_of_the_tasks_and_a_part_of_the_couplings():
    (ungated, loss), (uncoupled, _) = weights_after_a_step(None), weights_after_a_step("off")
    assert np.abs(ungated - uncoupled).max() > 1e-3
    for opening in (0.0, 0.25, 1.0):
        found, logged = weights_after_a_step(opening)
        np.testing.assert_allclose(found, uncoupled + opening * (ungated - uncoupled), atol=1e-6)
        np.testing.assert_allclose(logged, loss, rtol=1e-6)


def test_words():
    assert in_words({"expression": 0.0}) == "the gate of expression is closed"
    both = in_words({"expression": 1.0, "action_units": 0.834})
    assert both == "the gate of expression is open, that of action_units is 83% open"
