"""AdaShare's phases: what executes, what learns, and that a stop in between changes nothing."""

import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.models import BACKBONES, MultiTaskModel
from mtl_dm.models.backbones import _task_resnet as resnet
from mtl_dm.models.backbones.adashare import SHARING, SPARSITY
from mtl_dm.training import fitting, stages
from mtl_dm.training.config import TrainConfig
from tests.models.cases import EXPRESSION, UNITS, random_batch

TINY = resnet.Size(4, (1, 2), (1, 2))
SHAPE = (32, 32, 3)
TASKS = (EXPRESSION, UNITS)
SPEC = "adashare(variant=demo, sharing=0.2)"
L = 3


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Three blocks, which are all that the phases need."""
    monkeypatch.setattr(resnet, "DEMO", TINY)


def made(spec=SPEC):
    return BACKBONES.create(spec, SHAPE)


def images(rows=4, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (rows, *SHAPE)).astype(np.float32)


def arrays(backbone):
    return [keras.ops.convert_to_numpy(each) for each in backbone.network.variables]


def test_the_phases_of_a_search():
    backbone = made()
    start = arrays(backbone)
    np.testing.assert_array_equal(backbone.executed(training=True), 1.0)
    backbone.begin_stage("weights")
    first = keras.ops.convert_to_numpy(backbone.executed(training=True))
    # The curriculum: the last block alone is drawn.
    np.testing.assert_array_equal(first[:, :-1], 1.0)
    assert ((first[:, -1] > 0) & (first[:, -1] < 1)).all()
    assert first[0, -1] != first[1, -1]
    assert not np.array_equal(first, backbone.executed(training=True))
    np.testing.assert_array_equal(backbone.executed(training=False), 1.0)
    for _ in range(L - 1):
        backbone.begin_stage("policy_1")
        backbone.begin_stage("weights_2")
    assert float(backbone.rounds.numpy()) == L - 1
    drawn = keras.ops.convert_to_numpy(backbone.executed(training=True))
    assert ((drawn > 0) & (drawn < 1)).all()
    backbone.policy.assign(backbone.policy + np.array([0.0, 1.0], np.float32))
    np.testing.assert_array_equal(backbone.executed(training=False), 0.0)
    assert all(np.array_equal(a, b) for a, b in zip(start, arrays(backbone), strict=True))


def test_only_the_phase_policy_teaches_the_policy():
    backbone = made("adashare(variant=demo, curriculum=0)")
    for phase in ("warmup", "weights", "policy"):
        backbone.begin_stage(phase)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(backbone.executed(training=True))
        gradient = tape.gradient(loss, backbone.policy.value)
        assert bool(np.any(gradient)) == (phase == "policy")
        terms = backbone.terms(None)
        assert set(terms) == {SPARSITY, SHARING}
        assert {float(term.weights) for term in terms.values()} == {float(phase == "policy")}


def test_a_retrained_network_executes_exactly_the_sampled_blocks():
    backbone = made("adashare(variant=demo, curriculum=0, from_scratch=False)")
    backbone.policy.assign([[[9, -9], [-9, 9], [9, -9]], [[-9, 9], [-9, 9], [9, -9]]])
    backbone.begin_stage("retrain")
    want = np.array([[1, 0, 1], [0, 0, 1]], np.float32)
    for training in (False, True):
        np.testing.assert_array_equal(backbone.executed(training), want)
    before = backbone(images(), training=False)
    _shake(backbone, "stage2_block1")  # executed by none
    same = backbone(images(), training=False)
    for task, features in before.items():
        np.testing.assert_array_equal(features, same[task])
    _shake(backbone, "stage1_block1")  # by the first task alone
    after = backbone(images(), training=False)
    assert np.any(before["expression"] != after["expression"])
    np.testing.assert_array_equal(before["action_units"], after["action_units"])
    # A pass that skips a block leaves its averages and its weights alone.
    averages = arrays(backbone)
    inner = [each for each in backbone.trainable_variables if "stage2_block1_conv" in each.path]
    with tf.GradientTape() as tape:
        loss = sum(tf.reduce_sum(each**2) for each in backbone(images(), training=True).values())
    gradients = tape.gradient(loss, [each.value for each in inner])
    assert all(np.all(gradient == 0.0) for gradient in gradients)
    names = [each.path for each in backbone.network.variables]
    moved = {n for n, a, b in zip(names, averages, arrays(backbone), strict=True) if np.any(a != b)}
    assert moved
    assert not any("stage2_block1_" in name and "shortcut" not in name for name in moved)


def _shake(backbone, block):
    for layer in backbone.network.layers:
        if layer.name.startswith(block) and "shortcut" not in layer.name:
            for variable in layer.trainable_variables:
                variable.assign(variable + 0.3)


def test_a_retraining_starts_from_weights_that_depend_on_the_seed_alone():
    one, other = made(), made()
    kernels = [np.any(a != b) for a, b in zip(arrays(one), arrays(other), strict=True)]
    assert any(kernels)
    for backbone in (one, other):
        backbone(images(), training=True)
        backbone.begin_stage("retrain")
    for a, b in zip(arrays(one), arrays(other), strict=True):
        np.testing.assert_array_equal(a, b)
    # What the curriculum has not opened executes; a second such stage goes on.
    np.testing.assert_array_equal(one.sampled[:, :-1], 1.0)
    one(images(), training=True)
    before = arrays(one)
    one.begin_stage("retrain_2")
    assert all(np.array_equal(a, b) for a, b in zip(before, arrays(one), strict=True))


CONFIG = TrainConfig(
    ("a", "b"),
    backbone=SPEC,
    batch_size=8,
    steps_per_epoch=1,
    learning_rate=0.01,
    augment=False,
    stages=(
        "warmup(epochs=1)",
        "weights(epochs=1, datasets=a)",
        "policy(epochs=2, datasets=b, trainable=backbone/policy, learning_rate=0.05)",
        "retrain(epochs=1)",
    ),
)


def trained(folder):
    """Train from where the folder stands, a step an epoch: to compile one costs more."""
    compiled = MultiTaskModel.compile
    with pytest.MonkeyPatch.context() as patch, fitting.settings(CONFIG):
        patch.setattr(resnet, "DEMO", TINY)
        patch.setattr(keras.callbacks, "TensorBoard", lambda *_: keras.callbacks.Callback())
        patch.setattr(
            MultiTaskModel, "compile", lambda *a, **o: compiled(*a, **o, run_eagerly=True)
        )
        model = MultiTaskModel(made(), TASKS)
        model(images(1))
        halves = []
        for seed in (0, 1):
            _, labels, masks = random_batch(8, seed)
            rows = (images(8, seed), labels, masks)
            halves.append(tf.data.Dataset.from_tensor_slices(rows))
        return model, stages.train_stages(model, stages.stages_of(CONFIG, halves), output=folder)


def state_in(folder):
    """The newest state of a stage: arrays by name, some names several times."""
    with np.load(max((folder / "state").glob("*.npz"))) as content:
        names = json.loads(str(content["meta"]))["names"]
        found = {name: [] for name in names}
        for place, name in enumerate(names):
            found[name].append(content[f"v{place}"])
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("adashare")
    return folder, *trained(folder)


def test_stages_are_the_phases(whole):
    folder, model, done = whole
    names = (SPARSITY, SHARING)
    logged = [[bool(np.any(part.history[f"{n}_loss"])) for n in names] for part in done]
    assert logged == [[False, False], [False, False], [True, True], [False, False]]
    # The first policy step begins with equal policies: what they share costs nothing yet.
    assert done[2].history[f"{SHARING}_loss"][0] == 0
    before, after = (state_in(folder / "stages" / name) for name in ("weights", "policy"))
    assert [float(state["model phase"][0]) for state in (before, after)] == [1.0, 2.0]
    moved = {
        name
        for name in before
        if name.startswith("model") and not all(map(np.array_equal, before[name], after[name]))
    }
    assert moved == {"model policy", "model phase", "model draws"}
    np.testing.assert_array_equal(before["model policy"][0], 0.5)
    assert float(model.backbone.phase.numpy()) == 3.0


def test_killed_in_the_search_ends_in_the_same_weights(whole, tmp_path):
    # As a kill in the second epoch of the policy's stage leaves it.
    shutil.copytree(whole[0], tmp_path, dirs_exist_ok=True)
    (tmp_path / "stages" / "policy" / "state" / "epoch00002.npz").unlink()
    shutil.rmtree(tmp_path / "stages" / "retrain")
    model, done = trained(tmp_path)
    assert [part.history["loss"] for part in done] == [part.history["loss"] for part in whole[2]]
    for one, other in zip(model.weights, whole[1].weights, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=one.path)


def test_stages_of_other_names_are_refused(whole):
    for name in ("", "all", "policy_x"):
        with pytest.raises(ValueError, match="stages called warmup, weights, policy, retrain"):
            stages.check_stages(whole[1], [stages.Stage(name, CONFIG.replace(stages=()), [])])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("sparsity=-1.0", "sparsity must be finite and >= 0, got -1.0"),
        ("sharing=-0.1", "sharing must be"),
        ("temperature=0.0", "temperature must be finite and > 0"),
        ("decay=1.5", r"decay must be in \(0, 1\], got 1.5"),
        ("curriculum=-1", "curriculum must be >= 0"),
        ("seed=-1", "seed of adashare"),
        ("tasks=[]", "tasks must be different names"),
        ("tasks=[x, x]", r"got \['x', 'x'\]"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        made(f"adashare(variant=demo, {options})")


def test_tasks_that_it_was_not_told_are_named():
    with pytest.raises(ValueError, match=r"none for the tasks \['action_units'\]"):
        MultiTaskModel(made("adashare(variant=demo, tasks=[expression])"), TASKS)(images(1))
