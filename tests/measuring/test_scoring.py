import json

import keras
import numpy as np
import pytest

from mtl_dm import data
from mtl_dm.cards.card import card_of
from mtl_dm.measuring import evaluation, scoring
from mtl_dm.models import MultiTaskModel
from mtl_dm.tasks import Task
from tests.built_faces import ANNOTATED, EXPRESSIONS_ONLY


def test_scores_what_the_model_in_memory_scores(finished, faces, tmp_path, capsys):
    names = [f"{ANNOTATED}:test", EXPRESSIONS_ONLY]
    checkpoint = str(finished.folder / "last.keras")
    scoring.score(checkpoint, names, faces, tmp_path / "new")
    content = json.loads((tmp_path / "new" / "metrics.json").read_text(encoding="utf-8"))
    assert content["checkpoint"] == checkpoint
    assert content["commit"]
    assert content["versions"]
    assert list(content["metrics"]) == names
    for name in names:
        source = data.load(name, data_dir=faces, tasks=finished.model.tasks, image_size=16)
        expected = evaluation.evaluate(finished.model, source)
        assert set(content["metrics"][name]) == set(expected)
        for task, metrics in expected.items():
            found = {
                key: np.nan if value is None else value
                for key, value in content["metrics"][name][task].items()
            }
            assert found == pytest.approx(metrics, abs=1e-6, nan_ok=True)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith(f"{names[0]}  expression  accuracy 0.")
    # What was measured stands in the checkpoint's card, too.
    test = card_of(checkpoint)["tests"][f"{names[0]} with last.keras"]
    right = test["tasks"]["expression"]["accuracy"]
    assert right["of"] == test["images"]
    if right["value"] is not None:
        assert right["value"] == content["metrics"][names[0]]["expression"]["accuracy"]
    assert list(card_of(checkpoint)["tests"][f"{names[1]} with last.keras"]["tasks"]) == [
        "expression"
    ]
    assert not any("f1/AU1" in line for line in printed)


def test_metrics_are_strict_json(finished, faces, tmp_path):
    # No action unit of this set is annotated: every metric of that task is undefined.
    def no_constant(name):
        raise AssertionError(f"{name} is no JSON")

    scoring.score(str(finished.folder / "last.keras"), [EXPRESSIONS_ONLY], faces, tmp_path)
    text = (tmp_path / "metrics.json").read_text(encoding="utf-8")
    content = json.loads(text, parse_constant=no_constant)
    assert content["metrics"][EXPRESSIONS_ONLY]["action_units"]["f1"] is None


def test_missing_checkpoint(faces, tmp_path):
    path = tmp_path / "none.keras"
    with pytest.raises(FileNotFoundError, match=r"No checkpoint at .*none\.keras"):
        scoring.score(str(path), [EXPRESSIONS_ONLY], faces, tmp_path)


def test_damaged_checkpoint(finished, tmp_path):
    path = tmp_path / "half.keras"
    whole = (finished.folder / "last.keras").read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"no model"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"half\.keras cannot be read"):
            scoring.load_model(path)


def test_checkpoint_of_another_model(tmp_path):
    path = tmp_path / "other.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(path)
    with pytest.raises(ValueError, match="holds a Sequential, not a MultiTaskModel"):
        scoring.load_model(path)


def test_data_without_any_of_the_tasks(faces, tmp_path):
    pose = Task.multiclass("pose", ["left", "right"])
    backbone = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Flatten()])
    model = MultiTaskModel(backbone, [pose])
    model.build((None, 16, 16, 3))
    model.save(tmp_path / "pose.keras")
    with pytest.raises(ValueError, match=r"has none of the checkpoint's tasks, \['pose'\]"):
        scoring.score(str(tmp_path / "pose.keras"), [EXPRESSIONS_ONLY], faces, tmp_path)
    assert not (tmp_path / "metrics.json").exists()


def test_other_labels_are_refused(faces, tmp_path):
    other = Task.multiclass("expression", ["neutral", "bored"])
    backbone = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Flatten()])
    model = MultiTaskModel(backbone, [other])
    model.build((None, 16, 16, 3))
    model.save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match="other labels for the task 'expression'"):
        scoring.score(str(tmp_path / "other.keras"), [EXPRESSIONS_ONLY], faces, tmp_path)


def test_thresholds_chosen_on_validation_stand_beside(finished, faces, tmp_path, capsys):
    checkpoint = str(finished.folder / "last.keras")
    test, validation = f"{ANNOTATED}:test", f"{ANNOTATED}:validation"
    scoring.score(checkpoint, [test], faces, tmp_path, validation)
    content = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert content["thresholds_from"] == validation
    assert set(content["thresholds"]) == {"action_units"}
    assert all(0 < value < 1 for value in content["thresholds"]["action_units"].values())
    plain, tuned = content["metrics"][test], content["metrics_at_chosen_thresholds"][test]
    assert tuned["expression"] == plain["expression"]
    assert tuned["action_units"]["average_precision"] == plain["action_units"]["average_precision"]
    assert tuned["action_units"]["f1"] != plain["action_units"]["f1"]
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 3
    assert "action_units  (0.5 thresholds)  accuracy" in printed[1]
    assert "action_units  (chosen thresholds)  accuracy" in printed[2]


def test_thresholds_are_never_chosen_on_what_is_measured(finished, faces, tmp_path):
    checkpoint, name = str(finished.folder / "last.keras"), f"{ANNOTATED}:test"
    for chosen in (name, f"{name}[90%:]"):
        with pytest.raises(ValueError, match="must not be chosen on data that are measured"):
            scoring.score(checkpoint, [name], faces, tmp_path, chosen)
    with pytest.raises(ValueError, match="annotates none of the tasks \\['action_units'\\]"):
        scoring.score(checkpoint, [name], faces, tmp_path, EXPRESSIONS_ONLY)
    with pytest.raises(ValueError, match="The same data are named twice"):
        scoring.score(checkpoint, [name, f"{name}[:100%]"], faces, tmp_path)


def test_measuring_what_was_trained_on_is_said(finished, faces, tmp_path, caplog):
    name = f"{EXPRESSIONS_ONLY}:train[:20%]"
    scoring.score(str(finished.folder / "last.keras"), [name], faces, tmp_path)
    assert f"{name} has images that the checkpoint was trained on" in caplog.text
