"""Cards beside checkpoints: what is added, kept, refused and shown."""

import json

import pytest

from mtl_dm import pretrained
from mtl_dm.cards import card, text, writing
from mtl_dm.cards.trained import write_trained_card
from mtl_dm.tasks import Task

SHARE = {"value": 0.5, "low": 0.4, "high": 0.6, "of": 90}
FEW = {"value": None, "low": None, "high": None, "of": 7}
TASKS = (
    Task.multiclass("expression", ("fear", "disgust")),
    Task.multilabel("signs", ("hat", "beard")),
    Task.regression("affect", ("valence",)),
)
MEASURED = {
    "expression": {
        "kind": "multiclass",
        "accuracy": SHARE,
        "average_accuracy": 0.55,
        "calibration_error": 0.031,
        "labels": {"fear": SHARE, "disgust": FEW},
    },
    "signs": {
        "kind": "multilabel",
        "f1": 0.5,
        "average_precision": 0.61,
        "calibration_error": 0.1,
        "labels": {
            "hat": {"f1": SHARE, "average_precision": 0.61, "base_rate": 0.2, "positives": 100},
            "beard": {"f1": FEW, "average_precision": None, "base_rate": None, "positives": 0},
        },
    },
    "affect": {
        "kind": "regression",
        "ccc": 0.4,
        "rmse": None,
        "labels": {"valence": {"ccc": SHARE}},
    },
}


@pytest.fixture
def checkpoint(tmp_path):
    """A finished run on drawn faces, as far as a card looks."""
    folder = tmp_path / "first"
    folder.mkdir()
    for name in ("best.keras", "last.keras"):
        (folder / name).write_text(name, encoding="utf-8")
    record = {
        "config": {"datasets": ["synthetic_faces/expression_only", "fer2013"]},
        "annotated": {"expression": 48},
        "base_rates": {"signs": {"hat": 0.5, "beard": None}},
    }
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    written(folder)
    return folder / "best.keras"


def written(folder):
    write_trained_card(
        folder,
        TASKS,
        backbone="compact_cnn",
        parameters=1234,
        validation="fer2013:validation",
        command="python -m mtl_dm.train --output=first",
    )


def read(checkpoint):
    return (checkpoint.parent / "card.md").read_text(encoding="utf-8").splitlines()


def test_what_training_says_before_anything_was_measured(checkpoint):
    lines = read(checkpoint)
    assert lines[2] == (
        "> first: expression (2 classes), signs (2 attributes), affect (1 value); not evaluated; "
        "trained on drawn faces, NOT VALIDATED ON PEOPLE."
    )
    for line in (
        "**Data.** synthetic_faces/expression_only (synthetic); fer2013 (real). Annotated images: "
        "expression 48. best.keras was chosen by fer2013:validation.",
        "**Network.** `compact_cnn`, 1,234 parameters.",
        "**Calibration.** None: probabilities are as the network gives them.",
        "- No training image was annotated for signs beard: at best a coupling taught them.",
    ):
        assert line in lines, line
    assert any(
        line.startswith("**Made by** `python -m mtl_dm.train --output=first`") for line in lines
    )
    assert card.shown_lines(checkpoint)[1] == f"Its card: {checkpoint.parent / 'card.md'}"
    assert card.shown_lines(checkpoint.parents[1] / "none.keras") == []


def test_what_was_measured_is_added_and_kept_while_the_checkpoint_is_the_same(checkpoint):
    last = checkpoint.with_name("last.keras")
    writing.add_test(checkpoint, "fer2013:test", 1000, MEASURED)
    writing.add_test(last, "fer2013:test", 1000, {"affect": MEASURED["affect"]})
    fit = {"temperature": 1.5, "calibration_error_before": 0.1, "calibration_error_after": 0.05}
    found = {"sha256": writing.fingerprint(checkpoint), "fitted_on": "v", "tasks": {"signs": fit}}
    writing.add_calibration(checkpoint, found)
    lines = read(checkpoint)
    for line in (
        "expression: accuracy 50.0% (40.0% to 60.0%); mean recall of the classes 55.0%; "
        "calibration error 3.1%.",
        "| fear | 50.0% (40.0% to 60.0%) | 90 |",
        "| disgust | no verdict: fewer than 30 images | 7 |",
        "signs: mean F1 50.0%; mean average precision 61.0%; calibration error 10.0%.",
        "| hat | 50.0% (40.0% to 60.0%) | 61.0% | 20.0% | 100 |",
        "| beard | no verdict: fewer than 30 images | - | - | 0 |",
        "affect: mean CCC 0.40; mean RMSE -.",
        "| valence | 0.50 (0.40 to 0.60) | 90 |",
        "## fer2013:test with last.keras: 1,000 images",
        "**Calibration.** best.keras on v: signs temperature 1.50, calibration error 10.0% to "
        "5.0%.",
    ):
        assert line in lines, line
    assert "right on 50.0% of fer2013:test (40.0% to 60.0%)" in lines[2]
    last.write_text("trained on", encoding="utf-8")
    written(checkpoint.parent)
    again = card.card_of(checkpoint)
    assert list(again["tests"]) == ["fer2013:test"]
    assert list(again["calibration"]) == ["best.keras"]


def test_a_checkpoint_without_a_card_and_one_of_the_package_get_none(checkpoint, monkeypatch):
    for name in ("card.json", "card.md"):
        checkpoint.with_name(name).unlink()
    writing.add_test(checkpoint, "fer2013:test", 1000, MEASURED)
    assert not checkpoint.with_name("card.json").exists()
    written(checkpoint.parent)
    monkeypatch.setattr(pretrained, "FOLDER", checkpoint.parents[1])
    writing.add_test(checkpoint, "fer2013:test", 1000, MEASURED)
    assert card.card_of(checkpoint)["tests"] == {}


def test_a_damaged_card_costs_no_measurement(checkpoint):
    checkpoint.with_name("card.json").write_text("{", encoding="utf-8")
    writing.add_test(checkpoint, "fer2013:test", 1000, MEASURED)
    with pytest.raises(ValueError, match="is no card"):
        card.shown_lines(checkpoint)
    written(checkpoint.parent)
    assert card.shown_lines(checkpoint)


@pytest.mark.parametrize(
    ("task", "line"),
    [
        ("signs", "mean F1 of signs 0.50 on t"),
        ("affect", "mean CCC of affect 0.40 on t"),
    ],
)
def test_the_line_of_other_tasks(task, line):
    said = {
        "name": "n",
        "about": "a",
        "caution": "c",
        "tests": {"t": {"tasks": {task: MEASURED[task]}}},
    }
    assert card.card_line(said) == f"n: a; {line}; c."


def test_the_shipped_card_is_of_this_form():
    checkpoint = pretrained.PRETRAINED.get(pretrained.DEFAULT)
    found = card.card_of(checkpoint)
    assert text.as_markdown(found) == checkpoint.with_name("card.md").read_text(encoding="utf-8")
    assert card.card_line(found).startswith("small_faces: 7 expressions, and 12 facial movements")
    assert found["calibration"]["small_faces.keras"]["sha256"] == writing.fingerprint(checkpoint)
    for line in (
        "**Network.** The part of an aligned face (112 px) that FER2013 shows, as luminance at 48 "
        "px, through `small_resnet`; kernels in float16, computed in float32. 725,515 parameters, "
        "20.3 million multiply-adds a face, 1,358,208 bytes; 534 aligned faces a second of one "
        "core.",
        "| browInnerUp | 85.6% | 29.1% | 915 |",
        "| lowest quarter | 2.09e-05, 0.0249 | 70.6% (67.5% to 73.6%) |",
        "| 8 | 26.6% (25.1% to 28.0%) |",
    ):
        assert line in text.as_markdown(found).splitlines(), line
