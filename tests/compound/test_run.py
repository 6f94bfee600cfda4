"""The command: what it prints and writes is what the parts give; wrong input is one line."""

import json
import sys

import numpy as np
import pytest
import tensorflow as tf

from mtl_dm import data
from mtl_dm.compound import __main__ as command
from mtl_dm.compound import compounds_of, few_shots, observe, run, zero_shot_score
from mtl_dm.compound.scores import is_positive
from mtl_dm.datasets import SyntheticCompounds
from mtl_dm.measuring import scoring
from mtl_dm.measuring.scoring import load_model
from mtl_dm.measuring.sources import source_for
from mtl_dm.relatedness import COMPONENTS, compound_emotionet
from mtl_dm.runs.origin import Origin
from mtl_dm.synthetic.compounds import TASKS as COMPOUND_TASKS
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task
from mtl_dm.training import flags
from mtl_dm.training.main import start
from tests import saved_models
from tests.training.command_line import isolated_flags

TASKS = (
    Task.multiclass("expression", EXPRESSIONS),
    Task.multilabel("action_units", ACTION_UNITS),
    Task.regression("valence_arousal", ("valence", "arousal")),
)
TEST, SUPPORT = "synthetic_compounds/64px:test", "synthetic_compounds/64px:support"
COMPOUND = COMPOUND_TASKS[0]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compounds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SyntheticCompounds, "COUNTS", {"support": 22, "test": 22})
        data.load(TEST, data_dir=folder)
    return str(folder)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return saved_models.save(tmp_path_factory.mktemp("checkpoint"), tasks=TASKS)


@pytest.fixture(autouse=True)
def two_shots(monkeypatch):
    monkeypatch.setattr(run, "SHOTS", (1, 2))


def seen(checkpoint, built, name):
    model = load_model(checkpoint)
    return model, observe([model], source_for(model, name, built, [COMPOUND]), COMPOUND)


@pytest.fixture
def recognise(checkpoint, built, tmp_path, capsys, monkeypatch):
    def started(*arguments):
        given = {"checkpoint": checkpoint, "data_dir": built, "output": tmp_path, "datasets": TEST}
        base = [f"--{name}={value}" for name, value in given.items()]
        monkeypatch.setattr("sys.argv", ["compound", *base, *arguments])
        with isolated_flags(), pytest.raises(SystemExit) as ended:
            start(command.compound, flags.define_compound_flags)
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return started


def test_writes_and_prints_what_the_parts_give(
    recognise, checkpoint, built, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(scoring, "origin_of", lambda path: Origin((SUPPORT, f"{TEST}[:1]")))
    status, out, err = recognise(f"--support={SUPPORT}", "--draws=3", "--scores=zero_shot,product")
    assert status == 0, err
    assert f"{TEST} has images that the checkpoint was trained on ({TEST}[:1])" in caplog.text
    content = json.loads((tmp_path / "compound.json").read_text(encoding="utf-8"))
    found = content["uar"][TEST]

    _, images = seen(checkpoint, built, TEST)
    assert images.features.shape == (22, 8)
    table = compounds_of(compound_emotionet(), COMPOUND.labels)
    pairs = [[EXPRESSIONS.index(each) for each in COMPONENTS[name]] for name in COMPOUND.labels]
    p, units = images.outputs["expression"], images.outputs["action_units"]
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    scores = zero_shot_score(
        units[:, [ACTION_UNITS.index(unit) for unit in table.attributes]],
        table.weights,
        (p[:, [a for a, _ in pairs]], p[:, [b for _, b in pairs]]),
        images.outputs["valence_arousal"][:, 0],
        is_positive(COMPOUND.labels),
    )
    # Two images of each class, so that accuracy and the mean of recalls are one.
    right = (scores.argmax(axis=1) == images.ids).mean()
    assert found["zero_shot"]["zero_shot"]["uar"] == pytest.approx(right)
    assert found["zero_shot"]["zero_shot"]["accuracy"] == pytest.approx(right)
    assert list(found["zero_shot"]) == ["zero_shot", "product"]

    _, drawn = seen(checkpoint, built, SUPPORT)
    few = few_shots(drawn, images, COMPOUND, 3, (1, 2))
    assert set(few) == {(name, k) for name in ("class_means", "logistic_regression")
                        for k in (1, 2)}  # fmt: skip
    assert found["few_shot"]["class_means, k=2"] == few["class_means", 2].tolist()
    assert f"{TEST}  zero_shot  UAR {right:.4f}" in out
    assert f"class_means, k=2  UAR {few['class_means', 2].mean():.4f} ± " in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([f"--support={TEST}"], f"The support must not be tested: '{TEST}'"),
        (["--scores=guess"], "Unknown score of compounds 'guess'"),
        (["--relatedness=facs"], "no class ['happily surprised'"),
        (["--relatedness=compound"], "Unknown relatedness 'compound'. Known: aff_wild2, compound_"),
        ([f"--support={SUPPORT}", "--checkpoint=none.keras"], "No checkpoint at none.keras"),
    ],
)
def test_wrong_input_ends_with_one_line(recognise, arguments, message):
    status, _, err = recognise(*arguments)
    assert status == 1
    assert err.startswith("error: ")
    assert message in err
    assert "Traceback" not in err


def test_a_data_set_without_compounds():
    assert run.compound_task(COMPOUND_TASKS, "these") == COMPOUND
    with pytest.raises(ValueError, match=r"'those' has no task 'compound_expression'; it has \["):
        run.compound_task(TASKS, "those")


def test_more_examples_than_there_are(recognise, monkeypatch):
    monkeypatch.setattr(run, "SHOTS", (3,))
    status, _, err = recognise(f"--support={SUPPORT}")
    assert status == 1
    assert "k must not be larger than a class: 3 images of each were asked for, happily" in err


def test_without_scikit_learn(recognise, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    status, _, err = recognise(f"--support={SUPPORT}")
    assert status == 1
    assert err.strip().endswith("needs scikit-learn: pip install 'mtl-dm[compound]'")


def test_images_without_a_compound_are_left_out(checkpoint, built):
    model = load_model(checkpoint)
    source = source_for(model, TEST, built, [COMPOUND])
    half = source.enumerate().map(
        lambda number, row: (*row[:2], {COMPOUND.name: tf.cast(number < 5, tf.float32)})
    )
    assert len(observe([model], half, COMPOUND).ids) == 5
    with pytest.raises(ValueError, match="No image carries a label of the task 'compound_ex"):
        observe([model], half.skip(5), COMPOUND)
