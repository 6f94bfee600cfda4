import importlib.util
import json
import shutil
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm import export as command
from mtl_dm.exporting import formats, run
from mtl_dm.exporting.comparison import LEAST_TOLERANCE
from mtl_dm.faces import template
from mtl_dm.measuring.scoring import load_model
from mtl_dm.metrics import probabilities
from mtl_dm.models import MultiTaskModel
from tests import saved_models
from tests.saved_models import SIZE, TASKS

TEMPERATURES = {"expression": 2.5, "action_units": 0.4}
IMAGES = np.random.default_rng(1).uniform(-1, 1, (3, SIZE, SIZE, 3)).astype(np.float32)


@pytest.fixture(params=["float32"])
def checkpoint(tmp_path, request):
    path = saved_models.save(tmp_path / "model", policy=request.param)
    saved_models.calibrate(path, **TEMPERATURES)
    return path


def trained_in(*policies):
    return pytest.mark.parametrize("checkpoint", policies, indirect=True)


def assert_says_what_the_checkpoint_says(found, checkpoint):
    model = load_model(checkpoint)
    # Its weights in a network that was never in half precision.
    full = load_model(saved_models.save(checkpoint.parents[1] / "full"))
    full.set_weights(model.get_weights())
    logits = full(IMAGES, training=False)
    assert set(found) == {task.name for task in TASKS}
    for task in TASKS:
        expected = probabilities(task, logits[task.name], TEMPERATURES.get(task.name, 1.0))
        assert np.asarray(found[task.name]) == pytest.approx(expected, abs=1e-5)


@trained_in("float32", "mixed_bfloat16")
def test_saved_model(checkpoint, tmp_path):
    out = tmp_path / "*[a]"  # TensorFlow would take it for a pattern.
    differences = run.export(checkpoint, out, ["savedmodel"])
    assert differences["savedmodel"] <= LEAST_TOLERANCE
    loaded = tf.saved_model.load(str(shutil.copytree(out, tmp_path / "copy") / "saved_model"))
    assert_says_what_the_checkpoint_says(loaded.serve(IMAGES), checkpoint)
    signature = loaded.signatures["serving_default"]
    assert_says_what_the_checkpoint_says(signature(tf.constant(IMAGES)), checkpoint)
    about = json.loads((out / "labels.json").read_text(encoding="utf-8"))
    assert about["input"]["shape"] == [None, SIZE, SIZE, 3]
    assert about["input"]["landmarks_at_112px"]["nose"] == template()[2].tolist()
    assert about["outputs"]["expression"]["labels"] == list(TASKS[0].labels)
    assert about["outputs"]["expression"]["temperature"] == 2.5
    assert about["outputs"]["valence_arousal"]["temperature"] is None
    assert about["outputs"]["valence_arousal"]["label_bounds"] == [-1, 1]
    assert "label_bounds" not in about["outputs"]["expression"]
    assert about["outputs"]["action_units"]["never_annotated_in_training"] == ["AU2"]
    assert about["trained_on"]["datasets"] == [saved_models.DRAWN]
    assert "NOT VALIDATED ON PEOPLE" in about["read_this"][1]
    assert about["computes_in"] == "float32"
    assert about["trained_in"] == load_model(checkpoint).dtype_policy.name
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"model", out.name, "copy", "full"}


@pytest.mark.parametrize(("name", "inside"), [("plain", True), ("a*[b]", False)])
def test_what_a_killed_export_leaves_lies_in_its_own_folder(name, inside, tmp_path, monkeypatch):
    folder, written = tmp_path / name, []
    folder.mkdir()

    def export(path, **_):
        written.append(path)
        path.mkdir()

    monkeypatch.setattr(tf.saved_model, "load", lambda path: None)
    formats.saved_model(types.SimpleNamespace(export=export), folder)
    assert folder in written[0].parents if inside else folder not in written[0].parents
    assert [path.name for path in folder.iterdir()] == ["saved_model"]


def onnx_sessions():
    """Return how an exported folder's ONNX file is opened; skips without the packages."""
    for name in ("tf2onnx", "onnx", "onnxruntime"):
        pytest.importorskip(name, reason=f"{name} is not installed (the extra onnx)")
    import onnxruntime

    return lambda folder: onnxruntime.InferenceSession(
        str(folder / "model.onnx"), providers=["CPUExecutionProvider"]
    )


@trained_in("float32", "mixed_float16", "mixed_bfloat16")
def test_onnx(checkpoint, tmp_path):
    session_of = onnx_sessions()
    differences = run.export(checkpoint, tmp_path / "out", ["onnx"])
    assert differences["onnx"] <= LEAST_TOLERANCE
    session = session_of(tmp_path / "out")
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(names, {"image": IMAGES}), strict=True))
    assert_says_what_the_checkpoint_says(found, checkpoint)


def test_large_regressions_are_compared_by_their_size(tmp_path):
    onnx_sessions()
    model = load_model(saved_models.save(tmp_path / "model"))
    kernel, bias = model.heads["valence_arousal"].get_weights()
    model.heads["valence_arousal"].set_weights([1e4 * kernel, np.add(bias, [1e4, -1e4])])
    checkpoint = saved_models.save_model(model, tmp_path / "large")
    found = run.export(checkpoint, tmp_path / "out", ["onnx"])
    assert found["onnx"] <= LEAST_TOLERANCE


NAMED = {"image": (8, 12, 3), "audio": (5,), "kind": ()}


@pytest.fixture
def named_inputs(tmp_path):
    """A checkpoint of a network that takes several arrays by name, and inputs of it."""
    types = {"image": "float32", "audio": "float32", "kind": "int32"}
    entries = {name: keras.Input(NAMED[name], name=name, dtype=types[name]) for name in NAMED}
    flat, kind = keras.layers.Flatten()(entries["image"]), keras.layers.Embedding(4, 3)
    parts = keras.layers.Concatenate()([flat, entries["audio"], kind(entries["kind"])])
    backbone = keras.Model(entries, keras.layers.Dense(6, "tanh")(parts))
    model = MultiTaskModel(backbone, TASKS)
    rng = np.random.default_rng(3)
    inputs = {
        "image": rng.uniform(-1, 1, (3, *NAMED["image"])).astype(np.float32),
        "audio": rng.uniform(-1, 1, (3, *NAMED["audio"])).astype(np.float32),
        "kind": np.array([0, 1, 3], np.int32),
    }
    model(inputs)
    return saved_models.save_model(model, tmp_path / "model"), inputs


@pytest.mark.parametrize("name", ["savedmodel", "onnx"])
def test_inputs_by_name(named_inputs, tmp_path, name):
    session_of = onnx_sessions() if name == "onnx" else None
    checkpoint, inputs = named_inputs
    folder = tmp_path / "out"
    run.export(checkpoint, folder, [name])
    if session_of is None:
        loaded = tf.saved_model.load(str(folder / "saved_model"))
        found = loaded.serve(inputs)
    else:
        session = session_of(folder)
        names = [output.name for output in session.get_outputs()]
        found = dict(zip(names, session.run(names, inputs), strict=True))
    logits = load_model(checkpoint)(inputs, training=False)
    for task in TASKS:
        expected = probabilities(task, logits[task.name], 1.0)
        assert np.asarray(found[task.name]) == pytest.approx(expected, abs=1e-5)
    about = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    assert {key: each["shape"] for key, each in about["inputs"].items()} == {
        "image": [None, 8, 12, 3], "audio": [None, 5], "kind": [None],
    }  # fmt: skip
    assert about["inputs"]["kind"]["dtype"] == "int32"
    assert "preprocessing" in about["inputs"]["image"]
    assert set(about["inputs"]["audio"]) == {"shape", "dtype"}
    assert "input" not in about


def test_feature_vectors_have_no_preprocessing(tmp_path):
    backbone = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4)])
    model = MultiTaskModel(backbone, TASKS)
    model(np.zeros((1, 6), np.float32))
    run.export(saved_models.save_model(model, tmp_path / "model"), tmp_path / "out", ["savedmodel"])
    about = json.loads((tmp_path / "out" / "labels.json").read_text(encoding="utf-8"))
    assert about["input"] == {"name": "inputs", "shape": [None, 6], "dtype": "float32"}
    assert about["inputs"] == {"inputs": {"shape": [None, 6], "dtype": "float32"}}


def test_free_sizes_are_refused(tmp_path):
    backbone = keras.Sequential([keras.Input((None, 3)), keras.layers.GlobalAveragePooling1D()])
    model = MultiTaskModel(backbone, TASKS)
    model(np.zeros((1, 4, 3), np.float32))
    checkpoint = saved_models.save_model(model, tmp_path / "model")
    with pytest.raises(ValueError, match=r"needs fixed sizes; input has the shape \(None, 3\)"):
        run.export(checkpoint, tmp_path / "out", ["savedmodel"])


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


def test_what_is_no_card_is_told_before_anything_is_written(checkpoint, tmp_path, capsys):
    (checkpoint.parent / "card.json").write_text("[]", encoding="utf-8")
    arguments = [f"--checkpoint={checkpoint}", f"--output={tmp_path / 'out'}"]
    assert command.main([*arguments, "--formats=savedmodel"]) == 1
    assert "card.json is no card" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"model"}
