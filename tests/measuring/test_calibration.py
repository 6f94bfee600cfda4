import json
import shutil
import socket

import keras
import numpy as np
import pytest

from mtl_dm import calibrate as command_module
from mtl_dm import data
from mtl_dm.files import TEMPORARY
from mtl_dm.measuring import evaluation
from mtl_dm.measuring.calibration import calibrate
from mtl_dm.measuring.temperatures import calibration_file, read_temperatures
from mtl_dm.metrics import negative_log_likelihood
from mtl_dm.models import MultiTaskModel
from mtl_dm.tasks import Task
from tests.built_faces import ANNOTATED, EXPRESSIONS_ONLY
from tests.training.command_line import isolated_flags, parse

VALIDATION = f"{ANNOTATED}:validation"


@pytest.fixture
def checkpoint(finished, tmp_path):
    for name in ("best.keras", "run.json"):
        shutil.copy(finished.folder / name, tmp_path)
    return tmp_path / "best.keras"


def test_temperatures_are_kept_beside_the_checkpoint(checkpoint, faces, finished):
    assert read_temperatures(checkpoint) == {}
    left = checkpoint.parent / f"{TEMPORARY}{socket.gethostname()}+99999999-x"
    left.touch()
    content = calibrate(checkpoint, VALIDATION, faces)
    assert not left.exists()  # Of a run that was killed.
    path = checkpoint.with_name("best.calibration.json")
    assert calibration_file(checkpoint) == path
    assert json.loads(path.read_text(encoding="utf-8")) == content
    found = read_temperatures(checkpoint)
    assert set(found) == {"expression", "action_units"}
    assert content["fitted_on"] == VALIDATION
    model = keras.saving.load_model(checkpoint)
    source = data.load(VALIDATION, data_dir=faces, tasks=model.tasks, image_size=16)
    logits = evaluation.predict(model, source)
    arrays = data.label_arrays(VALIDATION, data_dir=faces, tasks=model.tasks)
    for task in model.tasks:
        entry = content["tasks"][task.name]
        assert entry["nll_after"] <= entry["nll_before"]
        labels, mask = arrays[task.name]
        expected = negative_log_likelihood(
            task, labels, logits[task.name], mask, entry["temperature"]
        )
        assert entry["nll_after"] == pytest.approx(expected, rel=1e-6)
        assert 0 <= entry["calibration_error_after"] <= 1


def test_never_on_the_test_set_nor_on_training_data(checkpoint, faces):
    with pytest.raises(ValueError, match="on validation data, not on a test set"):
        calibrate(checkpoint, f"{ANNOTATED}:test", faces)
    for name in (EXPRESSIONS_ONLY, f"{EXPRESSIONS_ONLY}:train", f"{EXPRESSIONS_ONLY}:train[:50%]"):
        with pytest.raises(ValueError, match="the checkpoint was trained on synthetic_faces"):
            calibrate(checkpoint, name, faces)
    assert not calibration_file(checkpoint).exists()


def test_a_part_of_the_test_set_and_too_few_images(checkpoint, faces):
    with pytest.raises(ValueError, match="on validation data, not on a test set"):
        calibrate(checkpoint, f"{ANNOTATED}:test[:50%]", faces)
    with pytest.raises(ValueError, match=r"needs 10 annotated images of a task, has .*: 1"):
        calibrate(checkpoint, f"{VALIDATION}[:1]", faces)


def test_a_set_that_annotates_one_task(checkpoint, faces):
    (checkpoint.parent / "run.json").unlink()
    assert set(calibrate(checkpoint, EXPRESSIONS_ONLY, faces)["tasks"]) == {"expression"}


def test_temperatures_of_another_model_of_that_name(checkpoint, faces, finished):
    calibrate(checkpoint, VALIDATION, faces)
    shutil.copy(finished.folder / "last.keras", checkpoint)
    with checkpoint.open("ab") as file:
        file.write(b" ")
    with pytest.raises(ValueError, match="was fitted to another model than"):
        read_temperatures(checkpoint)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"tasks": {"a": 1}}', '{"tasks": {"a": {}}}'])
def test_damaged_temperatures(checkpoint, text):
    calibration_file(checkpoint).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"best\.calibration\.json holds no temperatures"):
        read_temperatures(checkpoint)


def test_nothing_to_calibrate(faces, tmp_path):
    backbone = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Flatten()])
    model = MultiTaskModel(backbone, [Task.regression("valence_arousal", ["valence", "arousal"])])
    model(np.zeros((1, 16, 16, 3), np.float32))
    model.save(tmp_path / "va.keras")
    with pytest.raises(ValueError, match="no task for which temperatures are chosen"):
        calibrate(tmp_path / "va.keras", VALIDATION, faces)


def test_command(checkpoint, faces, capsys):
    from mtl_dm.training import flags

    with isolated_flags():
        flags.define_calibrate_flags()
        parse(f"--checkpoint={checkpoint}", f"--validation={VALIDATION}", f"--data_dir={faces}")
        command_module.calibrate()
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("expression  temperature ")
    assert printed[-1] == f"Written to {calibration_file(checkpoint)}"
