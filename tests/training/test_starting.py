import keras
import numpy as np
import pytest

from mtl_dm.balancing import BALANCING
from mtl_dm.models import BACKBONES, Coupling, MultiTaskModel
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task
from mtl_dm.training.parts import named_weights, network_weights
from mtl_dm.training.starting import start_from

EXPRESSION = Task.multiclass("expression", EXPRESSIONS)
UNITS = Task.multilabel("action_units", ACTION_UNITS)


def model_of(*tasks, width=4, **options):
    model = MultiTaskModel(BACKBONES.create(f"dense_trunk(width={width})", (5,)), tasks, **options)
    model(keras.ops.zeros((1, 5)))
    return model


def values(model):
    return {name: keras.ops.convert_to_numpy(w) for name, w in named_weights(model).items()}


@pytest.fixture
def saved(tmp_path):
    """A checkpoint with every number unlike those that a new model draws."""
    model = model_of(
        EXPRESSION, UNITS, couplings=[Coupling()], balancing=BALANCING.create("uncertainty")
    )
    for index, weight in enumerate(model.weights):
        weight.assign(np.full(weight.shape, index + 2.0, np.float32))
    model.save(tmp_path / "last.keras")
    return tmp_path / "last.keras", values(model)


def test_all_of_an_equal_network_but_what_training_keeps(saved):
    path, there = saved
    model = model_of(
        EXPRESSION, UNITS, couplings=[Coupling()], balancing=BALANCING.create("uncertainty")
    )
    before = values(model)
    start_from(model, path)
    network = network_weights(model)
    assert set(network) >= {"backbone/hidden/kernel", "heads/expression/bias"}
    for name, value in values(model).items():
        np.testing.assert_array_equal(value, there[name] if name in network else before[name])
    kept = set(before) - set(network)
    assert any(name.startswith("balancing/") for name in kept)
    assert any(name.endswith("_scale") for name in kept)


def test_what_is_not_loaded_is_named(saved, caplog):
    path, there = saved
    model = model_of(UNITS, Task.regression("pose", ("yaw",)), width=7)
    before = values(model)
    start_from(model, path)
    after = values(model)
    fits = "heads/action_units/bias"
    np.testing.assert_array_equal(after[fits], there[fits])
    for name in ("heads/action_units/kernel", "heads/pose/kernel"):
        np.testing.assert_array_equal(after[name], before[name])
    lines = [record.getMessage() for record in caplog.records]
    assert "Weights not loaded, since the checkpoint has none: heads/pose/" in "\n".join(lines)
    assert "heads/action_units/kernel (4, 17) there, (7, 17) here" in "\n".join(lines)
    assert any("not used: heads/expression/" in line for line in lines)


@pytest.mark.parametrize(
    "labels",
    [ACTION_UNITS[::-1], ACTION_UNITS[1:], (*ACTION_UNITS[1:], "AU99")],
    ids=["another order", "fewer", "another"],
)
def test_no_head_comes_to_stand_for_other_labels(labels, saved):
    path, _ = saved
    model = model_of(EXPRESSION, Task.multilabel("action_units", labels))
    before = values(model)
    with pytest.raises(ValueError, match=r"'action_units' has other.*'AU1'.* there, .* here\. Tr"):
        start_from(model, path)
    for name, value in values(model).items():
        np.testing.assert_array_equal(value, before[name])


def test_a_backbone_alone(tmp_path):
    backbone = BACKBONES.create("dense_trunk(width=4)", (5,))
    backbone.save(tmp_path / "backbone.keras")
    model = model_of(EXPRESSION)
    start_from(model, tmp_path / "backbone.keras")
    np.testing.assert_array_equal(
        values(model)["backbone/hidden/kernel"],
        keras.ops.convert_to_numpy(backbone.get_layer("hidden").kernel),
    )


def test_nothing_fits(saved):
    path, _ = saved
    with pytest.raises(ValueError, match=r"No weight of the checkpoint .* fits the model"):
        start_from(model_of(Task.regression("pose", ("yaw",)), width=7), path)


def test_no_file_and_no_model(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No checkpoint at .*none\.keras"):
        start_from(model_of(EXPRESSION), tmp_path / "none.keras")
    (tmp_path / "broken.keras").write_bytes(b"no zip")
    with pytest.raises(ValueError, match=r"broken\.keras cannot be read"):
        start_from(model_of(EXPRESSION), tmp_path / "broken.keras")


def test_a_path_in_the_home_folder(saved, monkeypatch):
    path, there = saved
    monkeypatch.setenv("HOME", str(path.parent))
    model = model_of(EXPRESSION)
    start_from(model, "~/last.keras")
    np.testing.assert_array_equal(
        values(model)["backbone/hidden/kernel"], there["backbone/hidden/kernel"]
    )
