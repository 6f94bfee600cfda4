"""What is no number is neither saved nor loaded."""

import os

import keras
import numpy as np
import pytest

from mtl_dm.measuring import evaluation, scoring
from mtl_dm.models import MultiTaskModel
from mtl_dm.models.backbones._weights import with_weights
from mtl_dm.models.finite import require_finite
from mtl_dm.models.watching import NonFiniteLossError
from mtl_dm.training import resuming, stages
from mtl_dm.training.starting import start_from
from tests import eagerly
from tests.models.cases import EXPRESSION
from tests.training.test_fitting import CONFIG, fitting, sources


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """A network with a weight that is NaN, and its file."""
    backbone = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, name="hidden")])
    model = MultiTaskModel(backbone, (EXPRESSION,))
    model(np.zeros((1, 6), np.float32))
    kernel = backbone.layers[0].kernel
    kernel.assign(np.where(np.arange(8) == 3, np.nan, kernel))
    path = tmp_path_factory.mktemp("broken") / "broken.keras"
    model.save(path)
    backbone.save(path.with_name("backbone.keras"))
    return model, path


@pytest.mark.parametrize(("rate", "found"), [(1e39, "the weights "), (1e30, "the outputs of ")])
def test_what_the_last_step_breaks_is_not_saved(tmp_path, rate, found):
    # No loss sees the weights after the last step of an epoch.
    config = CONFIG.replace(learning_rate=rate, steps_per_epoch=1)
    with eagerly.steps(), fitting.settings(config):
        backbone = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, activation="relu")])
        model = MultiTaskModel(backbone, (EXPRESSION,))
        parts = stages.stages_of(config, sources()[:1])
        with pytest.raises(NonFiniteLossError, match=f"After step 1, the last .*epoch 1, {found}"):
            stages.train_stages(model, parts, output=tmp_path)
    assert not [path.name for path in tmp_path.rglob("*.*") if "events" not in path.name]


def test_such_weights_are_refused_wherever_they_are_loaded(broken, tmp_path):
    model, path = broken
    wrong = r"has weights that are NaN or infinite, .*hidden/kernel"
    with pytest.raises(ValueError, match=wrong):
        scoring.load_model(path)
    with pytest.raises(ValueError, match=wrong):
        start_from(model, path)
    with pytest.raises(ValueError, match="that are NaN or infinite"):
        with_weights(model.backbone, str(path.with_name("backbone.keras")), "dense")
    with pytest.raises(ValueError, match="predicts of expression is NaN"):
        evaluation.evaluate(model, sources()[0])
    require_finite("x", MultiTaskModel.from_config(model.get_config()))


def test_a_state_that_is_not_finite_is_left_for_the_one_before(broken, tmp_path):
    model, _ = broken
    model.compile(optimizer="sgd")
    kernel = model.backbone.layers[0].kernel
    bad = keras.ops.convert_to_numpy(kernel)
    kernel.assign(np.zeros_like(bad))
    resuming.save_state(tmp_path, model, resuming.Progress(epochs=1))
    kernel.assign(bad)
    resuming.save_state(tmp_path, model, resuming.Progress(epochs=2))
    assert resuming.restore_state(tmp_path, model).epochs == 1
    assert not np.isnan(keras.ops.convert_to_numpy(kernel)).any()


class Touching:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self._path = path

    def __reduce__(self):
        return os.mkdir, (str(self._path),)


@pytest.mark.parametrize("member", ["meta", "v0"])
def test_a_state_is_never_unpickled(broken, member, tmp_path, caplog):
    model, _ = broken
    model.compile(optimizer="sgd")
    touched, state = tmp_path / "touched", tmp_path / "state" / "epoch00001.npz"
    resuming.save_state(tmp_path, model, resuming.Progress(epochs=1))
    with np.load(state) as content:
        arrays = dict(content)
    np.savez(state, **{**arrays, member: np.array([Touching(touched)], object)})
    with caplog.at_level("WARNING"):
        assert resuming.restore_state(tmp_path, model).epochs == 0
    assert "allow_pickle=False" in caplog.text
    assert not touched.exists()
    with np.load(state, allow_pickle=True) as content:
        assert content[member] is not None
    assert touched.exists()
