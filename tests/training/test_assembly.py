"""From a configuration to tasks, couplings and a model, without data that are built."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from mtl_dm import data
from mtl_dm.models import BACKBONES
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task
from mtl_dm.training import assembly, fitting
from mtl_dm.training.config import TrainConfig

EXPRESSION = Task.multiclass("expression", EXPRESSIONS)
UNITS = Task.multilabel("action_units", ACTION_UNITS)
OTHER = Task.multilabel("other", ("x", "y"))
POSE = Task.regression("pose", ("yaw",))
TASKS = (OTHER, POSE, EXPRESSION, UNITS)
NAMES = tuple(task.name for task in TASKS)


def config_of(**fields):
    return TrainConfig(**{"datasets": ("a",), "tasks": NAMES, "augment": False, **fields})


def test_options_of_a_form_reach_the_coupling():
    config = config_of(
        tasks=("expression", "action_units"),
        relatedness="aff_wild2(binarize=True)",
        matching_form="paper(epsilon=1e-5)",
    )
    (coupling,) = assembly.couplings_of(config, (EXPRESSION, UNITS))
    assert (coupling.matching_form, coupling.matching_options) == ("paper", {"epsilon": 1e-5})
    assert coupling.co_annotation_options == {}
    assert set(np.unique(coupling.relatedness.conditional)) == {0.0, 1.0}
    assert assembly.couplings_of(config.replace(relatedness=None), (EXPRESSION, UNITS)) == []


def test_couplings_by_name_choose_their_tasks():
    config = config_of(couplings=("faces(relation=facs, target=action_units, matching=0.5)",))
    (coupling,) = assembly.couplings_of(config, TASKS)
    assert (coupling.classes, coupling.attributes) == ("expression", "action_units")
    assert (coupling.name, coupling.matching) == ("faces", 0.5)


@pytest.mark.parametrize("option", ["source=pose", "target=expression"])
def test_a_coupling_of_tasks_that_do_not_fit(option):
    config = config_of(couplings=(f"faces(relation=facs, {option})",))
    with pytest.raises(ValueError, match="The coupling 'faces' needs a multiclass and a multilab"):
        assembly.couplings_of(config, TASKS)


@pytest.mark.parametrize(
    ("relation", "error"),
    [
        ("hearsay", ValueError),
        ("learned:hearsay", ValueError),
        ("facs(x=1)", ValueError),
        ("none.json", FileNotFoundError),
        ("learned:none.json", FileNotFoundError),
    ],
)
@pytest.mark.parametrize("flat", [True, False])
def test_relations_are_checked_before_data_are_read(relation, error, flat):
    fields = {"relatedness": relation} if flat else {"couplings": (f"a(relation='{relation}')",)}
    with pytest.raises(error):
        assembly.check_names(config_of(**fields))


@pytest.mark.parametrize("relation", ["facs", "learned", "learned:facs", "inferred:x/y:train"])
def test_relations_that_may_be(relation):
    assembly.check_names(config_of(relatedness=relation))


def test_a_table_that_names_more_than_the_tasks_have():
    choice = config_of(relatedness="own.json").coupling_choices()[0]
    table = assembly.relatedness_of("facs", (), "")
    six, few = EXPRESSION.replace(labels=EXPRESSIONS[1:]), UNITS.replace(labels=ACTION_UNITS[:9])
    coupling = assembly.coupling_with(choice, (six, few), table)
    assert coupling.relatedness.classes == EXPRESSIONS[1:]
    assert coupling.relatedness.attributes == ACTION_UNITS[:9]
    misspelt = dataclasses.replace(table, attributes=("AU01", *ACTION_UNITS[1:]))
    with pytest.raises(ValueError, match=r"'action_units' .*, \['AU01'\], .* it, \['AU1'\]: "):
        assembly.coupling_with(choice, (EXPRESSION, UNITS), misspelt)
    # A part of the labels is no mistake, and what is published is not misspelt.
    part = table.restrict(EXPRESSIONS[:3], ACTION_UNITS[:4])
    assert assembly.coupling_with(choice, (EXPRESSION, UNITS), part).relatedness is part
    published = config_of(relatedness="learned:aff_wild2(binarize=True)").coupling_choices()[0]
    found = assembly.coupling_with(published, (EXPRESSION, UNITS), misspelt).relatedness
    assert found.attributes == ACTION_UNITS[1:]


@pytest.fixture
def two_inputs(monkeypatch):
    """A backbone of two inputs, registered from outside, and a source for it."""

    def joined(shapes: dict, width: int = 4):
        import keras

        inputs = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
        flat = [keras.layers.Flatten()(each) for each in inputs.values()]
        outputs = keras.layers.Dense(width)(keras.layers.Concatenate()(flat))
        return keras.Model(inputs, outputs)

    monkeypatch.setitem(BACKBONES._entries, "joined", joined)
    rng = np.random.default_rng(0)
    inputs = {
        "image": rng.normal(size=(12, 4, 4, 3)).astype(np.float32),
        "audio": rng.normal(size=(12, 5)).astype(np.float32),
    }
    return data.from_arrays(inputs, {"pose": rng.normal(size=(12, 1))}, (POSE,))


def test_inputs_by_name_train(two_inputs):
    shape = assembly.input_shape_of(two_inputs)
    assert shape == {"image": (4, 4, 3), "audio": (5,)}
    config = config_of(
        backbone="joined(width=3)", tasks=("pose",), batch_size=4, epochs=1, steps_per_epoch=2
    )
    assembly.check_inputs(config, [two_inputs], None)
    with fitting.settings(config):
        model = assembly.model_of(config, (POSE,), shape)
        assert model.heads["pose"].kernel.shape == (3, 1)
        progress = fitting.fit(model, [two_inputs], config)
    assert np.isfinite(progress.history["loss"]).all()


def test_inputs_that_differ_in_size(two_inputs):
    other = two_inputs.map(lambda x, y, m: ({**x, "audio": tf.zeros(6)}, y, m))
    with pytest.raises(ValueError, match=r"'audio' .* differs in shape: a \(5,\), b \(6,\)"):
        assembly.check_inputs(
            config_of(datasets=("a", "b"), tasks=("pose",)), [two_inputs, other], None
        )


def test_losses_of_tasks_reach_them():
    config = config_of(task_losses={"pose": "ccc"}, task_weights={"pose": 2.0})
    assert assembly.configured(POSE, config) == POSE.replace(loss="ccc", weight=2.0)


def test_a_loss_of_another_kind_is_found_before_sources_are_read(monkeypatch):
    monkeypatch.setattr(data, "tasks_in", lambda *_, **__: TASKS)
    known = config_of(task_losses={"pose": "ccc"})
    assert {task.name: task.loss for task in assembly.tasks_of(known)}["pose"] == "ccc"
    with pytest.raises(ValueError, match="Task 'expression': unknown loss 'ccc' of a multiclass"):
        assembly.tasks_of(config_of(task_losses={"expression": "ccc"}))
