"""`MultiTaskModel.fit` by itself judges tables by labels."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm import data
from mtl_dm.losses.virtual import VIRTUAL
from mtl_dm.models import Coupling, MultiTaskModel, judging
from mtl_dm.relatedness import Relatedness
from mtl_dm.tasks import Task
from mtl_dm.training import learning

TASKS = (Task.multiclass("kind", ("a", "b")), Task.multilabel("parts", ("x", "y")))
TRUTH = np.array([[0.9, 0.1], [0.2, 0.8]], np.float32)
TABLE = Relatedness(("a", "b"), ("x", "y"), TRUTH, TRUTH, "known")
STEPS = 4


@pytest.fixture(scope="module")
def stream():
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 2, 80)
    parts = (rng.random((80, 2)) < TRUTH[kinds]).astype(int)
    faces = np.concatenate([np.eye(2)[kinds], parts], axis=1).astype(np.float32)
    sources = [
        data.from_arrays(faces[:40], {"kind": kinds[:40]}, TASKS),
        data.from_arrays(faces[40:], {"parts": parts[40:]}, TASKS),
    ]
    return data.merge(sources, 20, seed=0, repeat=True)


def model_with(*couplings):
    keras.utils.set_random_seed(0)
    model = MultiTaskModel(keras.Sequential([keras.Input((4,))]), TASKS, couplings)
    model.compile(keras.optimizers.SGD(1.0))
    return model


def test_a_notebook_judges_as_a_command_does(stream, capsys):
    model = model_with(Coupling("kind", "parts", TABLE))
    model.fit(stream, epochs=3, steps_per_epoch=STEPS, verbose=2)  # And nothing warns.
    assert model.live_relatedness["0"].confirmed is not None
    lines = capsys.readouterr().out.splitlines()
    (said,) = [line for line in lines if "the labels confirm" in line]
    assert said.startswith("After epoch 1: ")


def test_a_table_is_learned_without_a_callback_of_the_users(stream, capsys):
    start = Relatedness(("a", "b"), ("x", "y"), TRUTH * 0 + 0.5, TRUTH * 0 + 0.5, "nothing")
    model = model_with(Coupling("kind", "parts", start, learned=True))
    model.fit(stream, epochs=2, steps_per_epoch=STEPS, verbose=0, shuffle=False)
    assert np.ptp(model.live_relatedness["0"].value().conditional, axis=0).min() > 0.1
    assert not capsys.readouterr().out


@pytest.mark.parametrize("masks", [({},), ()])
def test_labels_without_masks_are_all_annotated(masks):
    rng = np.random.default_rng(1)
    kinds = rng.integers(0, 2, 80)
    parts = (rng.random((80, 2)) < TRUTH[kinds]).astype(np.float32)
    faces = np.concatenate([np.eye(2)[kinds], parts], axis=1).astype(np.float32)
    labels = {"kind": np.eye(2, dtype=np.float32)[kinds], "parts": parts}
    stream = tf.data.Dataset.from_tensor_slices((faces, labels, *masks)).batch(20)
    model = model_with(Coupling("kind", "parts", TABLE))
    model.fit(stream, epochs=3, verbose=0, shuffle=False)
    assert model.live_relatedness["0"].confirmed > 0.5


def test_a_training_that_ends_early_says_so_and_lets_go(stream, monkeypatch, capsys):
    monkeypatch.setattr(learning, "MOST", 2.0)  # Nothing is confirmed early.
    model = model_with(Coupling("kind", "parts", TABLE))
    stop = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", True)
    )
    options = {"steps_per_epoch": STEPS, "shuffle": False, "callbacks": [stop]}
    model.fit(stream, epochs=1000, verbose=2, **options)
    assert "has taught nothing: labels decide after epoch 5 first" in capsys.readouterr().out
    assert not any(gate.held for gate in model.gates.values())


def test_a_stage_that_ends_before_the_first_judgement_says_nothing(stream, monkeypatch, capsys):
    monkeypatch.setattr(learning, "MOST", 2.0)
    model = model_with(Coupling("kind", "parts", TABLE))
    judge = learning.LearnRelatedness([stream.take(STEPS).unbatch()], 5, 5, epochs=20)
    options = {"steps_per_epoch": STEPS, "shuffle": False, "verbose": 0, "callbacks": [judge]}
    model.fit(stream, epochs=2, **options)
    assert not capsys.readouterr().out
    assert all(gate.held for gate in model.gates.values())


def test_a_learned_table_stays_in_use_when_the_next_training_begins(stream):
    start = Relatedness(("a", "b"), ("x", "y"), TRUTH * 0 + 0.5, TRUTH * 0 + 0.5, "nothing")
    model = model_with(Coupling("kind", "parts", start, learned=True))
    for epochs in (2, 20):
        stop = keras.callbacks.EarlyStopping("loss", patience=0, baseline=0.0)
        options = {"verbose": 0, "shuffle": False, "callbacks": [stop] if epochs > 2 else []}
        model.fit(stream, epochs=epochs, steps_per_epoch=STEPS, **options)
    assert all(float(scale.numpy()) == 1.0 for scale in model.term_scales.values())


def test_a_list_of_callbacks_may_be_given_again(stream):
    model = model_with(Coupling("kind", "parts", TABLE))
    given = keras.callbacks.CallbackList([], add_history=True, model=model, epochs=2, steps=STEPS)
    for _ in range(2):
        model.fit(
            stream, epochs=2, steps_per_epoch=STEPS, verbose=0, shuffle=False, callbacks=given
        )
    made = [each for each in given.callbacks if judging.is_made_here(each)]
    assert len(made) == 1
    assert model.live_relatedness["0"].confirmed is not None


def test_where_it_does_not_judge(stream):
    trusting = model_with(Coupling("kind", "parts", TABLE))

    def judges(model=trusting, stream=stream, epochs=2, given=()):
        return bool(judging.judge_of(model, stream, epochs, STEPS, False, given))

    assert judges()
    assert not judges(epochs=1)
    assert not judges(given=[learning.LearnRelatedness([stream], 1, 1)])
    assert not judges(stream=np.zeros((4, 4)))
    assert not judges(stream=stream.map(lambda inputs, labels, masks: (inputs, labels["kind"])))
    assert not judges(model_with(Coupling("kind", "parts", TABLE, trust=False)))
    sizes = tf.data.Dataset.from_generator(
        lambda: iter(()),
        output_signature=(tf.TensorSpec([None, None, 4]), *stream.element_spec[1:]),
    )
    assert not judges(stream=sizes)


def test_virtual_images_are_not_asked(stream):
    def mixed(inputs, labels, masks):
        virtual = keras.ops.cast(keras.ops.arange(20) % 2, "float32")
        return inputs, {**labels, VIRTUAL: virtual}, masks

    model = model_with(Coupling("kind", "parts", TABLE))
    (callback,) = judging.judge_of(model, stream.map(mixed), 2, STEPS, False, [])
    (images,) = callback._sources
    assert sum(1 for _ in images) == STEPS * 10


@pytest.mark.parametrize("whole", [True, False])
def test_what_nothing_can_look_at_is_said(stream, capsys, whole):
    inputs, labels, masks = next(iter(stream))
    model = model_with(Coupling("kind", "parts", TABLE))
    options = {"verbose": 2, "epochs": 2, "initial_epoch": 0 if whole else 1}
    model.fit(inputs.numpy(), labels, sample_weight=masks, **options)
    said = [line for line in capsys.readouterr().out.splitlines() if "relatedness" in line]
    subject = "the relatedness of kind and parts is not judged, but believed as given: "
    why = "and this is ndarray." if whole else "that happens between two epochs, there is one."
    assert len(said) == 1
    assert said[0].startswith(subject)
    assert said[0].endswith(why)


def test_what_cannot_be_learned_is_refused(stream):
    inputs, labels, masks = next(iter(stream))
    model = model_with(Coupling("kind", "parts", TABLE, learned=True))
    with pytest.raises(ValueError, match=r"cannot be learned: it looks at a tf\.data stream"):
        model.fit(inputs.numpy(), labels, sample_weight=masks, epochs=2, verbose=0)


def test_a_new_model_warms_up_also_where_its_first_epoch_is_not_called_0(stream):
    model = model_with(Coupling("kind", "parts", TABLE))
    options = {"steps_per_epoch": STEPS, "shuffle": False, "verbose": 0}
    model.fit(stream, epochs=6, initial_epoch=3, **options)
    assert model.live_relatedness["0"].confirmed is not None


def test_every_image_of_a_merged_stream_is_looked_at_once(stream):
    def looks_at(stream):
        (judge,) = judging.judge_of(model, stream, 2, STEPS, False, ())
        return judge._sources

    model = model_with(Coupling("kind", "parts", TABLE))
    assert [int(source.cardinality()) for source in looks_at(stream)] == [40, 40]
    (images,) = looks_at(stream.prefetch(1))  # It is another stream now.
    assert sum(1 for _ in images) == STEPS * 20


@pytest.mark.parametrize("epochs", [1, 2])
def test_what_an_interrupted_training_has_held_is_let_go_where_nothing_judges(stream, epochs):
    def interrupt(batch, logs=None):
        raise KeyboardInterrupt

    model = model_with(Coupling("kind", "parts", TABLE))
    stop = keras.callbacks.LambdaCallback(on_train_batch_end=interrupt)
    options = {"steps_per_epoch": STEPS, "shuffle": False, "verbose": 0}
    with pytest.raises(KeyboardInterrupt):
        model.fit(stream, epochs=4, callbacks=[stop], **options)
    assert all(gate.held for gate in model.gates.values())
    inputs, labels, masks = next(iter(stream))
    model.fit(inputs.numpy(), labels, sample_weight=masks, epochs=epochs, verbose=0)
    assert not any(gate.held for gate in model.gates.values())
