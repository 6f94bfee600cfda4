import importlib.util
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm import export as command
from mtl_dm.exporting import formats, run
from mtl_dm.faces import template
from mtl_dm.measuring.scoring import load_model
from mtl_dm.metrics import probabilities
from tests import saved_models
from tests.saved_models import SIZE, TASKS

TEMPERATURES = {"expression": 2.5, "action_units": 0.4}
IMAGES = np.random.default_rng(1).uniform(-1, 1, (3, SIZE, SIZE, 3)).astype(np.float32)


@pytest.fixture
def checkpoint(tmp_path):
    path = saved_models.save(tmp_path / "model")
    saved_models.calibrate(path, **TEMPERATURES)
    return path


def assert_says_what_the_checkpoint_says(found, checkpoint):
    logits = load_model(checkpoint)(IMAGES, training=False)
    assert set(found) == {task.name for task in TASKS}
    for task in TASKS:
        expected = probabilities(task, logits[task.name], TEMPERATURES.get(task.name, 1.0))
        assert np.asarray(found[task.name]) == pytest.approx(expected, abs=1e-5)


def test_saved_model(checkpoint, tmp_path):
    differences = run.export(checkpoint, tmp_path / "out", ["savedmodel"])
    assert differences["savedmodel"] <= run.TOLERANCE
    loaded = tf.saved_model.load(str(tmp_path / "out" / "saved_model"))
    assert_says_what_the_checkpoint_says(loaded.serve(IMAGES), checkpoint)
    signature = loaded.signatures["serving_default"]
    assert_says_what_the_checkpoint_says(signature(tf.constant(IMAGES)), checkpoint)
    about = json.loads((tmp_path / "out" / "labels.json").read_text(encoding="utf-8"))
    assert about["input"]["shape"] == [None, SIZE, SIZE, 3]
    assert about["input"]["landmarks_at_112px"]["nose"] == template()[2].tolist()
    assert about["outputs"]["expression"]["labels"] == list(TASKS[0].labels)
    assert about["outputs"]["expression"]["temperature"] == 2.5
    assert about["outputs"]["valence_arousal"]["temperature"] is None
    assert about["outputs"]["action_units"]["never_annotated_in_training"] == ["AU2"]
    assert about["trained_on"]["datasets"] == [saved_models.DRAWN]
    assert "NOT VALIDATED ON PEOPLE" in about["read_this"][1]
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"model", "out"}


def test_onnx(checkpoint, tmp_path):
    for name in ("tf2onnx", "onnx", "onnxruntime"):
        pytest.importorskip(name, reason=f"{name} is not installed (the extra onnx)")
    import onnxruntime

    differences = run.export(checkpoint, tmp_path / "out", ["onnx"])
    assert differences["onnx"] <= run.TOLERANCE
    path = str(tmp_path / "out" / "model.onnx")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(names, {"image": IMAGES}), strict=True))
    assert_says_what_the_checkpoint_says(found, checkpoint)


def test_without_the_packages(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    message = r"needs tf2onnx, onnx, onnxruntime: pip install 'mtl-dm\[onnx\]'"
    with pytest.raises(ImportError, match=message):
        run.export(checkpoint, tmp_path / "out", ["savedmodel", "onnx"])
    assert {path.name for path in tmp_path.iterdir()} == {"model"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda said: {**said, "expression": said["expression"] + 2e-5}, "expression differs"),
        (lambda said: {**said, "expression": said["expression"] * np.nan}, "differs from the Ke"),
        (lambda said: {"expression": said["expression"]}, r"has the outputs \['expression'\]"),
    ],
)
def test_a_file_that_says_something_else_is_not_left(
    checkpoint, tmp_path, monkeypatch, change, message
):
    def wrong(model, folder):
        (folder / "wrong.txt").write_text("wrong", encoding="utf-8")
        return lambda images: change(
            {name: keras.ops.convert_to_numpy(v) for name, v in model(images).items()}
        )

    monkeypatch.setitem(formats.FORMATS._entries, "wrong", wrong)
    with pytest.raises(ValueError, match=f"wrong: .*{message}"):
        run.export(checkpoint, tmp_path / "out", ["wrong"])
    assert {path.name for path in tmp_path.iterdir()} == {"model"}


def test_what_is_refused(checkpoint, tmp_path):
    with pytest.raises(ValueError, match=r"Unknown export format 'h5'\. Known: onnx, savedmodel"):
        run.export(checkpoint, tmp_path / "out", ["h5"])
    with pytest.raises(ValueError, match="exists and is not an empty folder"):
        run.export(checkpoint, checkpoint.parent, ["savedmodel"])
    with pytest.raises(FileNotFoundError, match="No checkpoint"):
        run.export(tmp_path / "x.keras", tmp_path / "out", ["savedmodel"])
    assert not (tmp_path / "out").exists()


def test_command(checkpoint, tmp_path, capsys):
    arguments = [f"--checkpoint={checkpoint}", f"--output={tmp_path / 'out'}"]
    assert command.main([*arguments, "--formats=h5"]) == 1
    assert capsys.readouterr().err.startswith("error: Unknown export format")
    assert command.main([*arguments, "--formats=savedmodel"]) == 0
    printed = capsys.readouterr().out
    assert "NOT VALIDATED ON PEOPLE" in printed
    assert "savedmodel: equal to the Keras model within" in printed
