"""A run that was killed ends as if it never had been.

One network is trained by compiled steps, as users do; for the rest they would take longer to trace
than they do.
"""

import contextlib
import errno
import functools
import shutil

import keras
import numpy as np
import pytest

from mtl_dm import data
from mtl_dm.models import BACKBONES, Coupling, MultiTaskModel
from mtl_dm.models.backbones import example_of
from mtl_dm.relatedness import marginal
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task
from mtl_dm.training import callbacks, fitting, learning, resuming, validation_gate
from mtl_dm.training.config import TrainConfig
from tests import eagerly

TASKS = (
    Task.multiclass("expression", EXPRESSIONS),
    Task.multilabel("action_units", ACTION_UNITS),
)


def shape_of(name):
    return example_of(name, BACKBONES.get(name)).shape


class Killed(keras.callbacks.Callback):
    """Stops in the middle of an epoch, as a kill would: nothing after it runs."""

    def __init__(self, epoch):
        super().__init__()
        self._epoch = epoch
        self._now = -1

    def on_epoch_begin(self, epoch, logs=None):
        self._now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self._now == self._epoch and batch == 0:
            raise KeyboardInterrupt


def sources(shape):
    rng = np.random.default_rng(0)
    inputs = rng.uniform(-1, 1, (50, *shape)).astype(np.float32)
    return [
        data.from_arrays(inputs[:30], {"expression": rng.integers(0, 7, 30)}, TASKS),
        data.from_arrays(inputs[30:], {"action_units": rng.integers(0, 2, (20, 17))}, TASKS),
    ]


def start(config, folder, monkeypatch, kill_in=None, coupling=None, compiled=False):
    """Train from wherever the folder stands; return the weights, or None if killed."""
    shape = shape_of(config.backbone)
    real = callbacks.StopAtNonFinite
    if kill_in is not None:
        monkeypatch.setattr(callbacks, "StopAtNonFinite", lambda *_: Killed(kill_in))
    steps = contextlib.nullcontext() if compiled else eagerly.steps()
    with fitting.settings(config), steps:
        couplings = [coupling or Coupling()]
        model = MultiTaskModel(BACKBONES.get(config.backbone)(shape), TASKS, couplings)
        try:
            validation = sources(shape)[0] if config.validation_gate else None
            fitting.fit(model, sources(shape), config, validation=validation, output=folder)
        except KeyboardInterrupt:
            return None
        finally:
            monkeypatch.setattr(callbacks, "StopAtNonFinite", real)
    return [keras.ops.convert_to_numpy(weight) for weight in model.weights]


@pytest.fixture(scope="module", autouse=True)
def no_tensorboard():
    # It writes beside, and its profiler session would outlive the interruption.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.callbacks, "TensorBoard", lambda *_: keras.callbacks.Callback())
        yield


def config_of(backbone, precision="float32"):
    return TrainConfig(
        datasets=("a", "b"),
        backbone=backbone,
        batch_size=8,
        epochs=3,
        steps_per_epoch=2,  # So that a kill after one is in the middle.
        mixed_precision=precision,
        augment=len(shape_of(backbone)) == 3,
    )


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """Gives a copy of a folder whose run was killed in an epoch."""
    folders = {}

    def copied(epoch, target):
        if epoch not in folders:
            folders[epoch] = tmp_path_factory.mktemp("stopped")
            with pytest.MonkeyPatch.context() as patch:
                assert start(config_of("dense_trunk"), folders[epoch], patch, epoch) is None
        shutil.copytree(folders[epoch], target, dirs_exist_ok=True)

    return copied


# What draws at random has its state saved layer by layer; one network with and one without images.
# In float16 the scale of the loss is part of the state, of whichever network.
@pytest.mark.parametrize(
    ("backbone", "precision", "compiled"),
    [
        ("compact_cnn", "float32", False),
        ("dense_trunk", "float32", True),
        ("dense_trunk", "float16", False),
    ],
)
def test_killed_twice_ends_in_the_same_weights(
    backbone, precision, compiled, tmp_path, monkeypatch
):
    config = config_of(backbone, precision)
    start_in = functools.partial(start, config, monkeypatch=monkeypatch, compiled=compiled)
    want = start_in(tmp_path / "whole")
    assert start_in(tmp_path / "killed", kill_in=1) is None
    assert start_in(tmp_path / "killed", kill_in=2) is None
    have = start_in(tmp_path / "killed")
    for one, other in zip(want, have, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("brake", [False, True])
def test_learned_relatedness_and_brake_are_part_of_the_state(brake, tmp_path, monkeypatch, capsys):
    config = config_of("dense_trunk").replace(
        epochs=4,
        learning_rate=0.01,
        **({"validation_gate": True, "relatedness": "learned", "validation": "v"} if brake else {}),
    )
    # The printed matching is what the brake has to do with.
    coupling = Coupling(
        relatedness=marginal(
            np.array([], np.int64),
            np.full((1, 17), 0.5),
            classes=EXPRESSIONS,
            attributes=ACTION_UNITS,
        ),
        matching_form="paper" if brake else "conditional",
        learned=True,
    )
    if brake:
        # Without a validation of several batches it would never act; here it always does.
        monkeypatch.setattr(
            validation_gate,
            "conflicts",
            lambda *_: {"distribution_matching": ("action_units", 1.0)},
        )
    want = start(config, tmp_path / "whole", monkeypatch, coupling=coupling)
    said = capsys.readouterr().out
    assert [f"After epoch {epoch}: relatedness" in said for epoch in range(1, 5)] == [
        True, True, True, False,
    ]  # fmt: skip
    assert ("is reduced to" in said) == brake
    # Killed in the epoch after an estimate, and before the first one.
    for epoch in (0, 2):
        assert start(config, tmp_path / "killed", monkeypatch, epoch, coupling) is None
    have = start(config, tmp_path / "killed", monkeypatch, coupling=coupling)
    for one, other in zip(want, have, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_judged_table_is_part_of_the_state(tmp_path, monkeypatch, capsys):
    config = config_of("dense_trunk").replace(learning_rate=0.01)
    monkeypatch.setattr(learning, "has_learned", lambda _: True)  # Labels at random teach nothing.
    want = start(config, tmp_path / "whole", monkeypatch)
    assert capsys.readouterr().out.count("After epoch 1: the labels confirm") == 1
    # After it was judged, before it is learned once more.
    assert start(config, tmp_path / "killed", monkeypatch, 1) is None
    have = start(config, tmp_path / "killed", monkeypatch)
    assert capsys.readouterr().out.count("the labels confirm") == 1
    for one, other in zip(want, have, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_damaged_state_falls_back_to_the_one_before(tmp_path, monkeypatch, caplog, stopped):
    config = config_of("dense_trunk")
    want = start(config, tmp_path / "whole", monkeypatch)
    stopped(2, tmp_path / "killed")
    newest = sorted((tmp_path / "killed" / "state").iterdir())[-1]
    whole = newest.read_bytes()
    newest.write_bytes(whole[: len(whole) // 2])
    have = start(config, tmp_path / "killed", monkeypatch)
    assert f"{newest} is damaged" in caplog.text
    for one, other in zip(want, have, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_flipped_bit_is_noticed(tmp_path, monkeypatch, caplog, stopped):
    config = config_of("dense_trunk")
    stopped(2, tmp_path)
    newest = sorted((tmp_path / "state").iterdir())[-1]
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 0xFF
    newest.write_bytes(content)
    start(config, tmp_path, monkeypatch)
    assert f"{newest} is damaged" in caplog.text


def test_history_covers_all_starts(tmp_path, stopped):
    config = config_of("dense_trunk")
    stopped(1, tmp_path)
    with fitting.settings(config), eagerly.steps():
        shape = shape_of("dense_trunk")
        model = MultiTaskModel(BACKBONES.get("dense_trunk")(shape), TASKS, [Coupling()])
        progress = fitting.fit(model, sources(shape), config, output=tmp_path)
    assert progress.epochs == 3
    assert {len(values) for values in progress.history.values()} == {3}


def test_the_state_of_another_model_is_refused(tmp_path, stopped):
    config = config_of("dense_trunk")
    stopped(1, tmp_path)
    model = MultiTaskModel(BACKBONES.get("dense_trunk")((10,), width=8), TASKS, [Coupling()])
    with pytest.raises(ValueError, match=r"another model: it has model kernel \(10, 256"):
        fitting.fit(model, sources((10,)), config, output=tmp_path)
    model = MultiTaskModel(BACKBONES.get("dense_trunk")((10,)), TASKS[:1])
    with pytest.raises(ValueError, match="belongs to another model"):
        fitting.fit(model, sources((10,)), config, output=tmp_path)


def test_a_full_disk_is_said_and_earlier_states_stay(tmp_path, monkeypatch, stopped):
    config = config_of("dense_trunk")
    stopped(1, tmp_path)
    before = sorted((tmp_path / "state").iterdir())

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(resuming, "write_atomically", full)
        with pytest.raises(OSError, match="The disk is full: the state after epoch 2"):
            start(config, tmp_path, monkeypatch)
    assert sorted((tmp_path / "state").iterdir()) == before
    assert start(config, tmp_path, monkeypatch) is not None
