import keras
import numpy as np
import pytest

from mtl_dm.tasks import Task
from mtl_dm.training import checkpoints
from mtl_dm.training.checkpoints import Checkpoints, mean_main_metric, save_model
from mtl_dm.training.resuming import Progress

TASKS = (
    Task.multiclass("expression", ["neutral", "happiness"]),
    Task.multilabel("action_units", ["AU1", "AU2"]),
    Task.regression("affect", ["valence"]),
)


def one_weight(value):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.array([[value]], np.float32)])
    model.compile(optimizer="sgd", jit_compile=False)
    return model


def weight_in(path):
    return float(keras.saving.load_model(path).get_weights()[0][0, 0])


def logs(value, prefix=""):
    names = ("expression_accuracy", "action_units_afa", "affect_ccc")
    return {f"{prefix}{name}": value for name in names} | {"expression_loss": 9.0}


def test_mean_of_each_tasks_main_metric():
    values = {
        "expression_accuracy": 0.9,
        "expression_f1": 0.0,
        "action_units_afa": 0.3,
        "action_units_accuracy": 0.0,
        "affect_ccc": -0.6,
        "val_expression_accuracy": 0.5,
    }
    assert mean_main_metric(values, TASKS) == pytest.approx(0.2)
    assert mean_main_metric(values, TASKS[:1], "val_") == 0.5


@pytest.mark.parametrize("validated", [True, False])
def test_best_is_the_highest_and_last_the_last(tmp_path, validated):
    model = one_weight(0.0)
    callback = Checkpoints(tmp_path, TASKS, validated, Progress())
    callback.set_model(model)
    for epoch, score in enumerate([0.2, 0.5, 0.3, 0.5]):
        model.set_weights([np.array([[float(epoch)]], np.float32)])
        # The other half of the logs says the contrary.
        seen = logs(score, "val_" if validated else "") | logs(
            1 - score, "" if validated else "val_"
        )
        callback.on_epoch_end(epoch, seen)
        assert callback.progress.epochs == epoch + 1
    callback.on_train_end()
    assert weight_in(tmp_path / "last.keras") == 3
    assert weight_in(tmp_path / "best.keras") == 1
    assert callback.progress.best == 0.5
    assert callback.progress.history["expression_loss"] == [9.0] * 4
    states = sorted(path.name for path in (tmp_path / "state").iterdir())
    assert states == ["epoch00003.npz", "epoch00004.npz"]


def test_the_first_epoch_is_kept_even_at_zero(tmp_path):
    callback = Checkpoints(tmp_path, TASKS, False, Progress())
    callback.set_model(one_weight(3.0))
    callback.on_epoch_end(0, logs(0.0))
    assert weight_in(tmp_path / "best.keras") == 3


def test_a_score_that_is_no_number_is_not_the_best(tmp_path):
    callback = Checkpoints(tmp_path, TASKS, False, Progress())
    callback.set_model(one_weight(3.0))
    for epoch, score in enumerate([0.5, np.nan, 0.4, 0.6]):
        callback.on_epoch_end(epoch, logs(score))
        assert callback.progress.best == [0.5, 0.5, 0.5, 0.6][epoch]


def test_save_makes_the_folder(tmp_path):
    save_model(one_weight(2.0), tmp_path / "new" / "model.keras")
    assert weight_in(tmp_path / "new" / "model.keras") == 2


def test_an_error_while_saving_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "last.keras"
    save_model(one_weight(1.0), path)
    before = path.read_bytes()
    broken = one_weight(2.0)

    def half(target):
        target.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(broken, "save", half)
    with pytest.raises(OSError, match="disk full"):
        checkpoints.save_model(broken, path)
    assert path.read_bytes() == before
