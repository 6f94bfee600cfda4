"""Stages of a training: in their order, and after a kill as if it never had been."""

import keras
import numpy as np
import pytest

from mtl_dm import data
from mtl_dm.balancing import Balancing, EqualWeighting, Uncertainty
from mtl_dm.models import BACKBONES, Coupling, MultiTaskModel, steps
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task
from mtl_dm.training import fitting, learning, stages
from mtl_dm.training.config import TrainConfig
from mtl_dm.training.parts import named_weights
from mtl_dm.training.resuming import Progress

pytestmark = pytest.mark.usefixtures("eager")

TASKS = (
    Task.multiclass("expression", EXPRESSIONS),
    Task.multilabel("action_units", ACTION_UNITS),
)
CONFIG = TrainConfig(
    ("a", "b"),
    backbone="dense_trunk(width=6)",
    batch_size=8,
    steps_per_epoch=3,
    learning_rate=0.05,
    augment=False,
    stages=(
        "heads(epochs=1, trainable=heads, datasets=a, optimizer=sgd(momentum=0.9))",
        "all(epochs=2, schedule=cosine(warmup=1))",
    ),
)


class Killed(keras.callbacks.Callback):
    """Stops in the middle of an epoch, counted through all stages."""

    def __init__(self, epoch):
        super().__init__()
        self._epoch = epoch
        self._now = -1

    def on_epoch_begin(self, epoch, logs=None):
        self._now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self._now == self._epoch and batch == 1:
            raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def no_tensorboard(monkeypatch):
    monkeypatch.setattr(keras.callbacks, "TensorBoard", lambda *_: keras.callbacks.Callback())


def sources():
    rng = np.random.default_rng(0)
    inputs = rng.uniform(-1, 1, (50, 5)).astype(np.float32)
    return [
        data.from_arrays(inputs[:30], {"expression": rng.integers(0, 7, 30)}, TASKS),
        data.from_arrays(inputs[30:], {"action_units": rng.integers(0, 2, (20, 17))}, TASKS),
    ]


def built(config=CONFIG):
    # Judging is off: it would keep the coupling off in the first stage.
    coupling = Coupling(trust=False)
    model = MultiTaskModel(BACKBONES.create(config.backbone, (5,)), TASKS, [coupling])
    model(keras.ops.zeros((1, 5)))
    return model


def train(folder, config=CONFIG, kill_in=None):
    """Train from wherever the folder stands; return the model and progress, or None if killed."""
    with fitting.settings(config):
        model = built(config)
        parts = stages.stages_of(config, sources())
        if kill_in is not None:
            parts = [stages.Stage(p.name, p.config, p.sources, [Killed(kill_in)]) for p in parts]
        try:
            done = stages.train_stages(model, parts, output=folder)
        except KeyboardInterrupt:
            return None
    return model, done


def weights_of(model):
    return {name: keras.ops.convert_to_numpy(w) for name, w in named_weights(model).items()}


def assert_same(one, other):
    for name, value in weights_of(one).items():
        np.testing.assert_array_equal(value, weights_of(other)[name], err_msg=name)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.callbacks, "TensorBoard", lambda *_: keras.callbacks.Callback())
        model, done = train(folder)
    return folder, model, done


def test_where_everything_lies(whole):
    folder, _, done = whole
    assert sorted(path.name for path in folder.iterdir()) == ["best.keras", "last.keras", "stages"]
    assert sorted(path.name for path in (folder / "stages").iterdir()) == ["all", "heads"]
    assert {path.name for path in (folder / "stages" / "heads").iterdir()} == {
        "state", "best.keras", "last.keras",
    }  # fmt: skip
    assert {path.name for path in (folder / "stages" / "all").iterdir()} == {"state"}
    assert [progress.epochs for progress in done] == [1, 2]
    assert [len(progress.history["loss"]) for progress in done] == [1, 2]


def test_a_stage_trains_its_part_on_its_data(whole):
    folder, _, _ = whole
    with fitting.settings(CONFIG):
        start = weights_of(built())
    after = weights_of(keras.saving.load_model(folder / "stages" / "heads" / "last.keras"))
    changed = {name for name in start if not np.array_equal(start[name], after[name])}
    # Distribution matching teaches the head that the first stage's data have no label for: nobody
    # can be asked, so its gate is open.
    gates = {f"gates/{name}" for name in ("action_units/opening", "action_units/last")}
    gates.add("gates/expression/last")
    assert changed == {name for name in start if name.startswith("heads/")} | gates
    last = weights_of(keras.saving.load_model(folder / "last.keras"))
    assert not np.array_equal(after["backbone/hidden/kernel"], last["backbone/hidden/kernel"])


def test_every_stage_has_its_optimizer(whole):
    _, model, _ = whole
    assert type(model.optimizer) is keras.optimizers.Adam
    assert int(model.optimizer.iterations.numpy()) == 6
    rate = keras.optimizers.schedules.CosineDecay(0.0, 3, warmup_target=0.05, warmup_steps=3)
    assert float(model.optimizer.learning_rate) == pytest.approx(float(rate(6)))


@pytest.mark.parametrize("kills", [(1,), (0, 1, 2)])
def test_killed_in_and_between_stages_ends_in_the_same_weights(whole, tmp_path, kills):
    for epoch in kills:
        assert train(tmp_path, kill_in=epoch) is None
    model, done = train(tmp_path)
    assert_same(model, whole[1])
    assert [part.history["loss"] for part in done] == [part.history["loss"] for part in whole[2]]


def test_finished_stages_are_not_trained_again(whole, monkeypatch):
    folder, trained, _ = whole

    def fit(*_, **__):
        raise AssertionError("trained again")

    monkeypatch.setattr(MultiTaskModel, "fit", fit)
    model, done = train(folder)
    assert_same(model, trained)
    assert [progress.epochs for progress in done] == [1, 2]


def test_the_last_weights_are_saved_after_a_kill_before_them(whole, tmp_path):
    folder = whole[0] / "stages" / "heads"
    (folder / "last.keras").unlink()
    train(whole[0])
    assert (folder / "last.keras").is_file()


def test_one_stage_is_the_training_without_stages(tmp_path):
    flat = CONFIG.replace(stages=(), epochs=2)
    with fitting.settings(flat):
        model = built()
        fitting.fit(model, sources(), flat, output=tmp_path / "fit")
    one, _ = train(tmp_path / "flat", flat)
    named, _ = train(tmp_path / "named", flat.replace(stages=("only",)))
    assert_same(one, model)
    assert_same(named, model)
    for name in ("fit", "flat"):
        assert (tmp_path / name / "state").is_dir()
        assert not (tmp_path / name / "stages").exists()


def test_init_from_is_loaded_once(whole, tmp_path):
    path = whole[0] / "last.keras"
    start = weights_of(keras.saving.load_model(path))
    config = CONFIG.replace(
        init_from=str(path), stages=("a(epochs=1, trainable=heads)", "b(epochs=1)")
    )
    assert train(tmp_path / "killed", config, kill_in=1) is None
    # The backbone was frozen in the first stage: it is the one of the file.
    between = weights_of(
        keras.saving.load_model(tmp_path / "killed" / "stages" / "a" / "last.keras")
    )
    name = "backbone/hidden/kernel"
    np.testing.assert_array_equal(between[name], start[name])
    resumed, _ = train(tmp_path / "killed", config)
    assert_same(resumed, train(tmp_path / "whole", config)[0])


@pytest.mark.parametrize(
    "text",
    ["b(trainable=[heads, neck])", "b(batch_size=1)", "b(optimizer=sgd(momentum=2))"],
)
def test_a_wrong_stage_is_found_before_the_first_trains(text, tmp_path):
    with pytest.raises(ValueError, match="Stage 'b': "):
        train(tmp_path / "out", CONFIG.replace(stages=("a(epochs=1)", text)))
    assert not (tmp_path / "out").exists()


def test_stages_of_one_name():
    stage = stages.Stage("a", CONFIG.replace(stages=()), sources())
    for wrong in ([stage, stage], []):
        with pytest.raises(ValueError, match="stages of different names"):
            stages.check_stages(built(), wrong)


def test_no_stage_begins_after_a_loss_that_is_not_finite(tmp_path):
    config = CONFIG.replace(stages=("a(epochs=1, learning_rate=1e38, optimizer=sgd)", "b"))
    for _ in range(2):  # Nor when it is started again.
        with pytest.raises(
            ValueError, match=r"Stage 'a': The loss of .* step 2 of epoch 1\..*No later"
        ):
            train(tmp_path, config)
    assert not (tmp_path / "stages" / "b").exists()


def test_history_of_all_stages():
    parts = [
        Progress(epochs=1, history={"loss": [1.0], "x": [5.0]}),
        Progress(epochs=2, history={"loss": [2.0, 3.0], "y": [6.0, 7.0]}),
    ]
    have = stages.joined_history(parts)
    assert have["loss"] == [1.0, 2.0, 3.0]
    np.testing.assert_array_equal(have["x"], [5.0, np.nan, np.nan])
    np.testing.assert_array_equal(have["y"], [np.nan, 6.0, 7.0])


def test_learning_a_relatedness_goes_on_over_stages(tmp_path, capsys):
    config = CONFIG.replace(stages=("a(epochs=3, steps_per_epoch=1)", "b(epochs=2)"))
    with fitting.settings(config):
        model = MultiTaskModel(
            BACKBONES.create(config.backbone, (5,)), TASKS, [Coupling(learned=True)]
        )
        model(keras.ops.zeros((1, 5)))
        stages.train_stages(model, stages.stages_of(config, sources()))
    said = capsys.readouterr().out
    # A quarter of five epochs is one; nothing is learned after the last of all.
    assert [f"After epoch {epoch}: relatedness" in said for epoch in range(1, 6)] == [
        True, True, True, True, False,
    ]  # fmt: skip


def test_a_relatedness_is_learned_where_a_stage_ends_on_the_schedule(capsys, monkeypatch):
    seen = []
    real = learning.observe

    def observe(model, sources, *rest, **looks):
        seen.append(len(sources))
        return real(model, sources, *rest, **looks)

    monkeypatch.setattr(learning, "observe", observe)
    # A quarter of eight epochs is two, which is where the first stage ends; it has no data set
    # with attributes, which the second one has.
    config = CONFIG.replace(
        steps_per_epoch=1, stages=("a(epochs=2, datasets=a)", "b(epochs=6, datasets=b)")
    )
    with fitting.settings(config):
        model = MultiTaskModel(
            BACKBONES.create(config.backbone, (5,)), TASKS, [Coupling(learned=True)]
        )
        model(keras.ops.zeros((1, 5)))
        stages.train_stages(model, stages.stages_of(config, sources()))
    said = [line for line in capsys.readouterr().out.splitlines() if ": relatedness" in line]
    assert [line.partition(":")[0] for line in said] == [
        f"After epoch {each}" for each in (2, 4, 6)
    ]
    assert seen == [2, 2, 2]  # All data sets, whichever a stage trains on.


class Shared(Balancing):
    """Compares gradients over the whole backbone."""

    sees = "gradients"

    def weigh(self, seen):
        return None


class LastLayer(Shared):
    """Compares gradients over its last layer."""

    scope = "last_layer"


def stage_of(**fields):
    return stages.Stage("b", CONFIG.replace(stages=(), **fields), sources())


def balanced(balancing, couplings=()):
    model = MultiTaskModel(
        BACKBONES.create(CONFIG.backbone, (5,)), TASKS, couplings, balancing=balancing
    )
    model(keras.ops.zeros((1, 5)))
    return model


@pytest.mark.parametrize(
    ("method", "trainable", "message"),
    [
        (Shared, ("heads",), "Stage 'b': The balancing method Shared .* trains no weight"),
        (LastLayer, ("heads",), "Stage 'b': The balancing method LastLayer .* trains no kernel"),
        (LastLayer, ("heads", "backbone/*/bias"), "trains no kernel. Train a part of the backbone"),
        (Shared, ("backbone/*/bias",), None),
        (LastLayer, ("backbone",), None),
        (EqualWeighting, ("heads",), None),
    ],
)
def test_the_weights_that_a_method_compares_over_are_trained(method, trainable, message):
    model, stage = balanced(method()), stage_of(trainable=trainable)
    if message is None:
        stages.check_stages(model, [stage])
        return
    with pytest.raises(ValueError, match=message):
        stages.check_stages(model, [stage])


@pytest.mark.parametrize("needs", ["gradients", "losses", "gate", "gradient gates", "nothing"])
def test_the_backend_is_asked_before_a_stage_trains(needs, monkeypatch):
    methods = {"gradients": Shared, "losses": Uncertainty}
    coupling = Coupling(gate=needs == "gradient gates")
    model = balanced(methods.get(needs, EqualWeighting)(), [coupling])
    stage = stage_of(validation_gate=needs == "gate", relatedness="facs", validation="v")
    monkeypatch.setattr(steps, "BACKENDS", ("other",))
    if needs == "nothing":
        stages.check_stages(model, [stage])
        return
    with pytest.raises(ValueError, match="Stage 'b': Gradients of single terms need"):
        stages.check_stages(model, [stage])


def test_a_gate_with_nothing_to_judge():
    stage = stage_of(validation_gate=True, relatedness="facs", validation="v")
    with pytest.raises(ValueError, match="'b': validation_gate judges coupling terms on validat"):
        stages.check_stages(balanced(EqualWeighting()), [stage])
