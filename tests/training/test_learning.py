"""Learning the relatedness while a model trains."""

import dataclasses
import types

import keras
import numpy as np
import pytest

from mtl_dm import data
from mtl_dm.models import Coupling, MultiTaskModel, RelationCoupling
from mtl_dm.models.gradient_gate import GradientGate
from mtl_dm.relatedness import Moments, Relatedness, marginal, overall_moments
from mtl_dm.tasks import Task
from mtl_dm.training import callbacks, fitting, learning
from mtl_dm.training.config import TrainConfig
from mtl_dm.training.judgement_words import verdict
from mtl_dm.training.learning import LearnRelatedness, schedule, unjudged_notices

CLASSES, ATTRIBUTES = ("a", "b", "c"), ("w", "x", "y", "z")
TASKS = (Task.multiclass("kind", CLASSES), Task.multilabel("parts", ATTRIBUTES))
TRUTH = np.array([[0.9, 0.1, 0.5, 0.1], [0.1, 0.9, 0.5, 0.2], [0.1, 0.2, 0.5, 0.9]])
TERMS = ("distribution_matching", "soft_co_annotation")
CONFIG = TrainConfig(
    ("one", "other"), augment=False, batch_size=32, epochs=4, learning_rate=0.01, steps_per_epoch=8
)


@dataclasses.dataclass
class World:
    """Images that show their class, labelled for one task each."""

    sources: list
    start: Relatedness


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, 600)
    attributes = (rng.random((600, 4)) < TRUTH[classes]).astype(int)
    faces = np.concatenate(
        [
            2.0 * np.eye(3)[classes] + rng.normal(size=(600, 3)),
            attributes + rng.normal(size=(600, 4)),
        ],
        axis=1,
    ).astype(np.float32)
    sources = [
        data.from_arrays(faces[:200], {"kind": classes[:200]}, TASKS),
        data.from_arrays(faces[200:], {"parts": attributes[200:]}, TASKS),
    ]
    start = marginal(classes[:200], attributes[200:], classes=CLASSES, attributes=ATTRIBUTES)
    return World(sources, start)


class Watch(keras.callbacks.Callback):
    """Notes the scales and the table at the beginning of every epoch."""

    def __init__(self):
        super().__init__()
        self.scales, self.held, self.opened, self.tables = [], [], [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.scales.append([float(self.model.term_scales[term].numpy()) for term in TERMS])
        self.held.append([gate.held for gate in self.model.gates.values()])
        self.opened.append([float(gate.opening) for gate in self.model.gates.values()])
        self.tables.append(self.model.live_relatedness["0"].value())


def train(world, monkeypatch, config=CONFIG, start=None, **fields):
    """Train as `fit` does, watched from the beginning of every epoch."""
    watch = Watch()
    real = callbacks.LearnRelatedness
    first = []

    def with_watch(*arguments, **options):
        first.append(real(*arguments, **options))
        return first[0]

    monkeypatch.setattr(callbacks, "LearnRelatedness", with_watch)
    # The watch stands where the brake would.
    monkeypatch.setattr(callbacks, "validation_gate", lambda *_: watch)
    coupling = Coupling("kind", "parts", start or world.start, **{"learned": True, **fields})
    config = config.replace(validation_gate=True, relatedness="learned", validation="v")
    with fitting.settings(config):
        network = keras.Sequential([keras.Input((7,)), keras.layers.Dense(16, activation="relu")])
        model = MultiTaskModel(network, TASKS, [coupling])
        fitting.fit(model, world.sources, config)
    assert len(first) == (config.epochs > 1)
    return model, watch


@pytest.mark.parametrize(
    ("epochs", "after"),
    [
        (2, [1]),
        (3, [1, 2]),
        (4, [1, 2, 3]),
        (8, [2, 4, 6]),
        (40, [10, 20, 30]),
        (30, [7, 14, 21, 28]),
    ],
)
def test_schedule(epochs, after):
    first, every = schedule(epochs)
    assert list(range(first, epochs, every)) == after


def test_estimates_follow_the_schedule_and_get_near_the_truth(world, monkeypatch, capsys):
    model, watch = train(world, monkeypatch, CONFIG.replace(epochs=8))
    said = [line for line in capsys.readouterr().out.splitlines() if "relatedness" in line]
    assert said == [
        f"After epoch {epoch}: relatedness learned from 600 images." for epoch in (2, 4, 6)
    ]
    # Off until the first estimate, on after it.
    assert watch.scales == [[0.0, 0.0]] * 2 + [[1.0, 1.0]] * 6
    assert watch.tables[1] == world.start
    changed = [one != other for one, other in zip(watch.tables, watch.tables[1:], strict=False)]
    assert changed == [False, True, False, True, False, True, False]
    got = model.live_relatedness["0"].value()
    assert got == watch.tables[-1]  # Not after the last epoch.
    error = np.abs(got.conditional - TRUTH).mean()
    assert error < 0.5 * np.abs(world.start.conditional - TRUTH).mean()
    assert "Learned during training" in got.citation


@pytest.mark.parametrize("learned", [True, False])
def test_the_first_epoch_trains_as_if_uncoupled(world, monkeypatch, learned):
    short = CONFIG.replace(epochs=2)
    monkeypatch.setattr(callbacks, "schedule", lambda epochs: (9, 9))  # No estimate at all.
    table = None if learned else RIGHT
    model, watch = train(world, monkeypatch, short, start=table, learned=learned)
    assert watch.scales == [[0.0 if learned else 1.0] * 2] * 2
    assert watch.held == [[not learned] * 2] * 2
    with fitting.settings(short):
        network = keras.Sequential([keras.Input((7,)), keras.layers.Dense(16, activation="relu")])
        alone = MultiTaskModel(network, TASKS)
        fitting.fit(alone, world.sources, short)
    for one, other in zip(model.trainable_weights, alone.trainable_weights, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-6)


@pytest.mark.parametrize("informative", [True, False])
def test_a_drifted_estimate_keeps_the_one_in_use(world, monkeypatch, capsys, informative):
    monkeypatch.setattr(learning, "drifted", lambda *_: True)
    table = Relatedness(CLASSES, ATTRIBUTES, TRUTH, TRUTH, "published")
    start = table if informative else world.start
    model, watch = train(world, monkeypatch, start=start)
    assert model.live_relatedness["0"].value() == start
    # A start that says something is used after the warm-up; one that says nothing stays off.
    assert watch.scales == [[0.0, 0.0]] + [[float(informative)] * 2] * 3
    assert capsys.readouterr().out.count("worse than the one in use, which is kept") == 3


def test_the_guard_compares_with_the_one_in_use(world, monkeypatch):
    compared = []

    def drifted(seen, new, current, estimator):
        compared.append((new, current))
        return len(compared) == 2

    monkeypatch.setattr(learning, "drifted", drifted)
    train(world, monkeypatch)
    first, second, third = compared
    assert first[1] == world.start
    np.testing.assert_allclose(second[1].conditional, first[0].conditional)
    np.testing.assert_allclose(third[1].conditional, first[0].conditional)


def test_what_the_brake_has_reduced_stays_reduced(world, monkeypatch):
    class Braked(Watch):
        def on_epoch_begin(self, epoch, logs=None):
            super().on_epoch_begin(epoch, logs)
            if epoch == 2:
                self.model.term_scales[TERMS[0]].assign(0.25)

    monkeypatch.setattr("tests.training.test_learning.Watch", Braked)
    monkeypatch.setattr(learning, "drifted", lambda *_: False)
    _, watch = train(world, monkeypatch)
    assert watch.scales == [[0, 0], [1, 1], [1, 1], [0.25, 1]]


def test_one_epoch_leaves_no_time_to_learn(world, monkeypatch):
    with pytest.raises(ValueError, match="between epochs: it needs at least 2, got epochs 1"):
        train(world, monkeypatch, CONFIG.replace(epochs=1))


def test_only_couplings_that_training_may_replace_are_touched(world):
    table = Relatedness(CLASSES, ATTRIBUTES, TRUTH, TRUTH, "published")
    couplings = [
        Coupling("kind", "parts", world.start, learned=True),
        Coupling("kind", "parts", table, trust=False, name="given"),
        Coupling("kind", "parts", table, name="judged"),
    ]
    with fitting.settings(CONFIG):
        network = keras.Sequential([keras.Input((7,)), keras.layers.Dense(4)])
        model = MultiTaskModel(network, TASKS, couplings)
        callback = LearnRelatedness(world.sources, 1, 1)
        callback.set_model(model)
        callback.on_epoch_begin(0)
    off = {name for name, scale in model.term_scales.items() if not scale.numpy()}
    assert off == {*model.coupling_names(0), *model.coupling_names(2)}


# --- a table that is given, judged by labels -----------------------------------------------------

RIGHT = Relatedness(CLASSES, ATTRIBUTES, TRUTH, TRUTH, "right", counts=np.full((3, 4), 500))
WRONG = Relatedness(CLASSES, ATTRIBUTES, TRUTH[[1, 2, 0]], TRUTH, "permuted")


def said_of(capsys):
    return [line for line in capsys.readouterr().out.splitlines() if "relatedness" in line]


def test_a_wrong_table_is_judged_once_and_replaced(world, monkeypatch, capsys):
    asked = []
    real = learning.confirmed_share
    monkeypatch.setattr(
        learning, "confirmed_share", lambda *both: asked.append(both) or real(*both)
    )
    config = CONFIG.replace(epochs=8)
    model, watch = train(world, monkeypatch, config, start=WRONG, learned=False)
    live = model.live_relatedness["0"]
    assert len(asked) == 1
    assert live.confirmed < 0.2
    of = "the relatedness of kind and parts"
    assert said_of(capsys) == [
        f"After epoch 2: the labels confirm {live.confirmed:.0%} of {of}: learned from labels "
        "instead.",
        f"After epoch 4: {of} learned from 600 images.",
        f"After epoch 6: {of} learned from 600 images.",
    ]
    assert watch.scales == [[1.0, 1.0]] * 8
    assert watch.held == [[True, True]] * 2 + [[False, False]] * 6
    assert watch.opened[2] == [0.0, 0.0], "nothing is known of what is in use instead"
    assert watch.tables[1] == WRONG
    changed = [one != two for one, two in zip(watch.tables, watch.tables[1:], strict=False)]
    assert changed == [False, True, False, True, False, True, False]
    assert np.abs(live.value().conditional - TRUTH).mean() < 0.12
    np.testing.assert_array_equal(live.table().reliability.numpy(), 1.0)  # Every part is labelled.


def test_a_right_table_is_confirmed(world, monkeypatch, capsys):
    model, watch = train(world, monkeypatch, start=RIGHT, learned=False)
    live = model.live_relatedness["0"]
    assert live.confirmed > 0.6
    first = watch.held.index([False, False])
    assert watch.opened[first] == [1.0, 1.0], "gates are open until other images refute it"
    (said,) = [line for line in said_of(capsys) if "the labels confirm" in line]
    assert said.endswith(f"of the relatedness of kind and parts: {verdict(live.confirmed)}.")
    assert np.abs(live.value().conditional - TRUTH).mean() < 0.1


@pytest.mark.parametrize("fields", [{}, {"matching_form": "paper"}])
def test_one_epoch_believes_a_table_as_given(world, monkeypatch, capsys, fields):
    weights = []
    for trust in (True, False):
        with fitting.settings(CONFIG):
            network = keras.Sequential([keras.Input((7,)), keras.layers.Dense(4)])
            coupling = Coupling("kind", "parts", RIGHT, trust=trust, **fields)
            model = MultiTaskModel(network, TASKS, [coupling])
            fitting.fit(model, world.sources, CONFIG.replace(epochs=1))
        weights.append([weight.numpy() for weight in model.trainable_weights])
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert said_of(capsys) == [
        "The relatedness of kind and parts is not judged, but believed as given: that happens "
        "between two epochs, there is one."
    ]


ONE = (Coupling("kind", "parts", RIGHT),)


def judge(
    world,
    monkeypatch,
    *,
    learned_something,
    done,
    labelled=True,
    first=1,
    epochs=4,
    couplings=ONE,
    tasks=TASKS,
):
    """Let the callback act after `done` epochs on a model that was never trained."""
    monkeypatch.setattr(learning, "has_learned", lambda _: learned_something)
    with fitting.settings(CONFIG):
        network = keras.Sequential([keras.Input((7,)), keras.layers.Dense(4)])
        model = MultiTaskModel(network, tasks, couplings)
        sources = world.sources if labelled else world.sources[:1]
        callback = LearnRelatedness(sources, first, 1, epochs=epochs)
        callback.set_model(model)
        callback.on_epoch_begin(0)
        for epoch in done:
            callback.on_epoch_end(epoch - 1)
    return model, {gate.held for gate in model.gates.values()}


def test_a_network_that_has_learned_nothing_does_not_judge(world, monkeypatch, capsys):
    model, held = judge(world, monkeypatch, learned_something=False, done=[1, 2])
    assert model.live_relatedness["0"].confirmed is None
    assert held == {True}
    yet = "is not judged yet: the network tells the labelled classes no better than their shares do"
    assert [yet in line for line in said_of(capsys)] == [True, True]
    # After the last time it could have, the table is believed.
    model, held = judge(world, monkeypatch, learned_something=False, done=[1, 2, 3])
    assert model.live_relatedness["0"].confirmed is None
    assert model.live_relatedness["0"].value() == RIGHT
    assert held == {False}
    assert "is not judged, but believed as given: the network tells" in said_of(capsys)[-1]


@pytest.mark.parametrize(("refuted_by", "want"), [(0, 1.0), (len(CLASSES), 0.0)])
def test_a_table_that_one_head_has_seen_refuted_opens_neither(world, monkeypatch, refuted_by, want):
    monkeypatch.setattr(learning, "confirmed_share", lambda *_: 0.9)
    monkeypatch.setattr(GradientGate, "refuted", property(lambda gate: gate.size == refuted_by))
    model, held = judge(world, monkeypatch, learned_something=True, done=[1])
    assert held == {False}
    assert [float(gate.opening) for gate in model.gates.values()] == [want] * 2


@pytest.mark.parametrize(
    ("share", "refuted", "learned_something", "early"),
    [
        (0.8, False, True, True),
        (0.7, False, True, False),
        (0.8, True, True, False),
        (0.8, False, False, False),
    ],
)
def test_a_table_that_labels_clearly_confirm_is_believed_early(
    world, monkeypatch, capsys, share, refuted, learned_something, early
):
    monkeypatch.setattr(learning, "confirmed_share", lambda *_: share)
    monkeypatch.setattr(GradientGate, "refuted", property(lambda _: refuted))
    options = {"learned_something": learned_something, "first": 8, "epochs": 32}
    model, held = judge(world, monkeypatch, done=[1], **options)
    assert (model.live_relatedness["0"].confirmed, held) == (None, {True}), "asked every second"
    model, held = judge(world, monkeypatch, done=[1, 2], **options)
    assert held == {not early}
    assert model.live_relatedness["0"].confirmed == (pytest.approx(share) if early else None)
    assert len(said_of(capsys)) == early


@pytest.mark.parametrize(("shares", "want"), [([0.5, 0.9], 1.0), ([0.5, 0.1], 0.0)])
def test_gates_that_couplings_share_open_once_all_tables_are_confirmed(
    world, monkeypatch, shares, want
):
    answers = iter(shares)
    monkeypatch.setattr(learning, "confirmed_share", lambda *_: next(answers))
    two = [Coupling("kind", "parts", RIGHT, name=name) for name in "ab"]
    model, _ = judge(world, monkeypatch, learned_something=True, done=[1], couplings=two)
    assert [float(gate.opening) for gate in model.gates.values()] == [want] * 2


def test_a_head_of_one_coupling_opens_though_the_other_head_is_shared(world, monkeypatch):
    monkeypatch.setattr(learning, "confirmed_share", lambda *_: 0.9)
    tasks = (*TASKS, Task.multilabel("other", ("u", "v")))
    table = Relatedness(CLASSES, ("u", "v"), TRUTH[:, :2], TRUTH[:, :2], "of what nobody labelled")
    couplings = [*ONE, Coupling("kind", "other", table)]
    model, _ = judge(
        world, monkeypatch, learned_something=True, done=[1], couplings=couplings, tasks=tasks
    )
    opened = {name: float(gate.opening) for name, gate in model.gates.items()}
    assert opened == {"kind": 0.0, "parts": 1.0, "other": 0.0}


@pytest.mark.parametrize(("learned", "want"), [(False, 1.0), (True, 0.0)])
def test_a_shared_gate_does_not_wait_for_a_relation_that_no_labels_judge(
    world, monkeypatch, learned, want
):
    monkeypatch.setattr(learning, "confirmed_share", lambda *_: 0.9)
    tasks = (*TASKS, Task.regression("affect", ("valence", "arousal"), bounds=(-1, 1)))
    values = np.array([[0.5, 0.0], [-0.5, 0.0], [0.0, 0.5], [0.0, -0.5]])
    moments = overall_moments(values, CLASSES, ("valence", "arousal"))
    terms = {"moment_matching/conditional": None}
    beside = RelationCoupling("moments", "kind", "affect", moments, terms, learned=learned)
    monkeypatch.setattr(LearnRelatedness, "_learn_moments", lambda *_: "not learned here")
    model, _ = judge(
        world, monkeypatch, learned_something=True, done=[1], couplings=[*ONE, beside], tasks=tasks
    )
    opened = {name: float(gate.opening) for name, gate in model.gates.items()}
    assert (opened["kind"], opened["parts"]) == (want, 1.0)


def test_without_labels_of_a_side_there_is_no_judging(world, monkeypatch, capsys):
    _, held = judge(world, monkeypatch, learned_something=True, done=[1, 2], labelled=False)
    assert held == {False}
    (said,) = said_of(capsys)  # Once.
    assert said.endswith("no training image is labelled with one of its attributes.")


def test_what_was_judged_in_an_earlier_training_stays_on(world, monkeypatch):
    model, _ = judge(world, monkeypatch, learned_something=True, done=[1])
    share = model.live_relatedness["0"].confirmed
    callback = LearnRelatedness(world.sources, 1, 1, epochs=4, verbose=False)
    callback.set_model(model)
    callback.on_epoch_begin(0)
    callback.on_epoch_end(0)
    assert model.live_relatedness["0"].confirmed == share
    assert {float(scale.numpy()) for scale in model.term_scales.values()} == {1.0}


def test_relations_of_other_kinds_are_said_not_to_be_judged():
    moments = Moments(CLASSES, ("v",), np.zeros((3, 1)), np.ones((3, 1, 1)), "none")
    coupling = types.SimpleNamespace(
        source="kind", target="affect", relation=moments, learned=False
    )
    (said,) = unjudged_notices(types.SimpleNamespace(couplings=[coupling]), 10)
    assert said == (
        "the relatedness of kind and affect is not judged, but believed as given: only tables of a "
        "Coupling are, this one holds moments."
    )


@pytest.mark.parametrize("name", ["first", "every"])
def test_refuses(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1 epoch, got 0"):
        LearnRelatedness([], **{"first": 1, "every": 1, name: 0})
