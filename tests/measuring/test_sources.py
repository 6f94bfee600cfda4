import keras
import numpy as np
import pytest

from mtl_dm import data
from mtl_dm.measuring import evaluation, scoring
from mtl_dm.measuring.calibration import calibrate, fit_temperatures
from mtl_dm.measuring.sources import annotated_enough, source_for
from mtl_dm.models import MultiTaskModel
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task
from tests.built_faces import ANNOTATED

TASKS = (
    Task.multiclass("expression", EXPRESSIONS),
    Task.multilabel("action_units", ACTION_UNITS),
)
VALIDATION = f"{ANNOTATED}:validation"


def model_of(shapes):
    """A network of one array, or of several by name."""
    keras.utils.set_random_seed(3)
    several = isinstance(shapes, dict)
    named = shapes if several else {"x": shapes}
    entries = {name: keras.Input(shape, name=name) for name, shape in named.items()}
    flat = [keras.layers.Flatten()(each) for each in entries.values()]
    joined = flat[0] if len(flat) == 1 else keras.layers.Concatenate()(flat)
    features = keras.layers.Dense(6, "tanh")(joined)
    model = MultiTaskModel(keras.Model(entries if several else entries["x"], features), TASKS)
    zeros = {name: np.zeros((1, *shape), np.float32) for name, shape in named.items()}
    model(zeros if several else zeros["x"])
    return model


def test_several_inputs_are_the_image_and_features_by_name(faces):
    model = model_of({"face": (16, 16, 3), "action_units": (17,)})
    source = source_for(model, VALIDATION, faces)
    images = data.load(VALIDATION, data_dir=faces, tasks=TASKS, image_size=16)
    features = data.raw_features(VALIDATION, ["action_units"], data_dir=faces)["action_units"]
    count = 0
    for (inputs, labels, _), (image, expected, _), row in zip(
        source.as_numpy_iterator(), images.as_numpy_iterator(), features, strict=True
    ):
        np.testing.assert_array_equal(inputs["face"], image)
        np.testing.assert_array_equal(inputs["action_units"], row)
        np.testing.assert_array_equal(labels["expression"], expected["expression"])
        count += 1
    assert count == len(features) > 0
    assert inputs["action_units"].dtype == np.float32


def test_one_named_image(faces):
    source = source_for(model_of({"face": (16, 16, 3)}), VALIDATION, faces)
    assert source.element_spec[0]["face"].shape == (16, 16, 3)


def test_a_checkpoint_of_several_inputs_is_scored_and_calibrated(faces, tmp_path):
    model = model_of({"face": (16, 16, 3), "action_units": (17,)})
    checkpoint = tmp_path / "best.keras"
    model.save(checkpoint)
    scoring.score(str(checkpoint), [VALIDATION], faces, tmp_path)
    source = source_for(model, VALIDATION, faces)
    expected = evaluation.evaluate(model, source)["expression"]["accuracy"]
    text = (tmp_path / "metrics.json").read_text(encoding="utf-8")
    assert f'"accuracy": {expected!r}' in text
    found = calibrate(checkpoint, VALIDATION, faces)["tasks"]
    assert found == fit_temperatures(model, source)
    assert set(found) == {"expression", "action_units"}


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ((9,), r"hold one square colour image an example; the checkpoint takes \(9,\)"),
        ((16, 12, 3), r"the checkpoint takes \(16, 12, 3\)"),
        ({"a": (8, 8, 3), "b": (8, 8, 3)}, r"takes \{'a': \(8, 8, 3\), 'b': \(8, 8, 3\)\}"),
        ({"face": (16, 16, 3), "sound": (4,)}, r"has no features \['sound'\]"),
        (
            {"face": (16, 16, 3), "action_units": (4,)},
            r"'action_units' .* has the shape \(17,\); the checkpoint takes \(4,\)",
        ),
    ],
)
def test_what_the_data_do_not_hold_is_refused(faces, shapes, message):
    with pytest.raises(ValueError, match=message):
        source_for(model_of(shapes), VALIDATION, faces)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_checkpoints_of_mixed_precision(faces, tmp_path, policy):
    keras.config.set_dtype_policy(policy)
    model = model_of((16, 16, 3))
    keras.config.set_dtype_policy("float32")
    assert model.backbone.layers[-1].compute_dtype == policy.removeprefix("mixed_")
    checkpoint = tmp_path / "best.keras"
    model.save(checkpoint)
    full = model_of((16, 16, 3))
    expected = fit_temperatures(full, source_for(full, VALIDATION, faces))
    for task, found in calibrate(checkpoint, VALIDATION, faces)["tasks"].items():
        assert found["nll_before"] == pytest.approx(expected[task]["nll_before"], rel=0.02)
        assert found["nll_after"] <= found["nll_before"]


def test_a_task_with_few_labels_is_left_out_and_named(monkeypatch, caplog):
    counts = {"expression": 5000, "action_units": 8}
    monkeypatch.setattr(data, "labelled_images", lambda *_, **__: counts)
    with caplog.at_level("WARNING", "absl"):
        assert annotated_enough("set", "", TASKS, "temperatures") == [TASKS[0]]
    assert "has {'action_units': 8}. Of these tasks none are chosen." in caplog.text
    counts["expression"] = 9
    with pytest.raises(ValueError, match="too small to choose temperatures"):
        annotated_enough("set", "", TASKS, "temperatures")
    with pytest.raises(ValueError, match="The checkpoint has no task for which thresholds are"):
        annotated_enough("set", "", (), "thresholds")
