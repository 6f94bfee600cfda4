"""The files that the how-to pages show work as they are, from outside, on the command line."""

import ast
import inspect
import json
import re
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from data_prep import build, check
from experiments.engine.options import options
from mtl_dm import data, evaluate, plugins, train
from mtl_dm.losses import COUPLING_FORMS, MATCHING_FORMS, mixture
from mtl_dm.losses.virtual import VIRTUAL
from mtl_dm.measuring.scoring import METRICS_FILE
from mtl_dm.models import BACKBONES
from mtl_dm.relatedness import Linear
from mtl_dm.training import flags, main, run
from tests import plugged, public_names
from tests.built_faces import EXPRESSIONS_ONLY, UNITS_ONLY
from tests.contracts import test_coupling_forms as contract
from tests.datasets.fakes import write_image
from tests.experiments.engine import tiny
from tests.finished_run import faces
from tests.training.command_line import isolated_flags
from tests.training.conftest import eager

__all__ = ["eager", "faces"]

HOW_TO = Path(__file__).parents[2] / "docs" / "howto"
EXAMPLES = HOW_TO / "examples"
FILES = sorted(EXAMPLES.glob("*.py"))
PAGES = {path: path.read_text(encoding="utf-8") for path in HOW_TO.glob("*.md")}
SHORT = ("--batch_size=8", "--epochs=1", "--steps_per_epoch=2", "--image_size=16")


@pytest.fixture(autouse=True)
def alone():
    with plugged.apart():
        yield


def example(name):
    return EXAMPLES / f"{name}.py"


@pytest.fixture
def command(monkeypatch):
    """Runs a command of absl as it is typed, in this process."""
    monkeypatch.setattr(run, "make_deterministic", lambda: None)

    def call(action, define, *arguments):
        line = ["command", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", line)
        monkeypatch.setattr(main.app, "run", lambda guarded: guarded(flags.FLAGS(line)))
        with isolated_flags():
            main.start(action, define)

    return call


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_page_shows_it(path):
    (page,) = [
        text for text in PAGES.values() if f"```{{literalinclude}} examples/{path.name}\n" in text
    ]
    assert f"--plugin={path.name}" in page or f"python {path.name}" in page


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_imports_what_versions_promise(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not [each for each in node.names if each.name.startswith(("mtl_dm", "exper"))]
        elif isinstance(node, ast.ImportFrom) and node.module.startswith(("mtl_dm", "experiments")):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            assert names <= public_names.listed()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_its_page_gives_options_that_there_are(page):
    """Every command of a page that trains parses, with the names that its plugins register."""
    shell = re.findall(r"^```\n(.*?)^```$", PAGES[page], re.MULTILINE | re.DOTALL)
    lines = "".join(shell).replace("\\\n", " ").splitlines()
    for line in (each for each in lines if each.startswith("python -m mtl_dm.train ")):
        given = [word.replace('"', "") for word in re.findall(r'(?:[^\s"]|"[^"]*")+', line)[3:]]
        plugins.load_all(
            EXAMPLES / word.partition("=")[2] for word in given if word.startswith("--plugin=")
        )
        with isolated_flags():
            flags.define_train_flags()
            flags.FLAGS(["train", *given])
            flags.train_config()


def test_a_database_a_network_a_method_and_a_way_of_mixing(eager, command, tmp_path, capsys):
    raw, built, output = tmp_path / "raw", tmp_path / "built", tmp_path / "out"
    moods = ("glad", "sad", "calm")
    rows = ["path,mood", *(f"{number}.jpg,{moods[number % 3]}" for number in range(20))]
    rows.append("20.jpg,furious")
    for number in range(21):
        write_image(raw / f"{number}.jpg", number)
    (raw / "moods.csv").write_text("\n".join(rows), encoding="utf-8")
    database = [f"--plugin={example('my_database')}", "--dataset=my_database", f"--source={raw}"]
    assert check.main(database) == 0
    assert "1 rows have no label" in capsys.readouterr().out
    assert build.main([*database, f"--data_dir={built}"]) == 0
    assert "test 4, train 16; 1 image(s) skipped" in capsys.readouterr().out

    names = ("my_database", "my_network", "my_method", "my_mixing")
    given = [*(f"--plugin={example(name)}" for name in names), f"--data_dir={built}"]
    command(
        train.train,
        flags.define_train_flags,
        *given,
        "--datasets=my_database:train",
        "--tasks=mood",
        "--backbone=my_network(width=4)",
        "--balancing=my_method(power=1.0)",
        "--mix=noisy_copies(deviation=0.2)",
        f"--output={output}",
        *SHORT,
    )
    record = json.loads((output / "run.json").read_text(encoding="utf-8"))
    assert set(record["plugins"]) == {f"{name}.py" for name in names}
    claimed = json.loads((output / "config.json").read_text(encoding="utf-8"))
    assert claimed["plugins"] == record["plugins"]
    assert f"--plugin={example('my_network')} " in (output / "card.md").read_text(encoding="utf-8")
    command(
        evaluate.evaluate,
        flags.define_evaluate_flags,
        *given[:3],
        given[-1],
        "--datasets=my_database:test",
        f"--checkpoint={output / 'best.keras'}",
        f"--output={output / 'test'}",
    )
    measured = json.loads((output / "test" / METRICS_FILE).read_text(encoding="utf-8"))
    assert 0 <= measured["metrics"]["my_database:test"]["mood"]["accuracy"] <= 1


def test_a_network_keeps_its_options_and_refuses_what_is_no_image():
    plugins.load(example("my_network"))
    model = BACKBONES.create("my_network(width=4, dropout=0)", (16, 16, 3))
    assert model.output_shape == (None, 8)
    images = np.random.default_rng(0).uniform(-1, 1, (2, 16, 16, 3))
    copy = keras.Model.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(copy(images), model(images), rtol=1e-6)
    with pytest.raises(ValueError, match="my_network needs images"):
        BACKBONES.create("my_network", (16,))


def test_forms_train_together(eager, command, faces, tmp_path):
    command(
        train.train,
        flags.define_train_flags,
        f"--plugin={example('my_form')}",
        f"--datasets={EXPRESSIONS_ONLY},{UNITS_ONLY}",
        f"--data_dir={faces}",
        "--coupling=a(relation=facs, matching_form=my_squares)",
        "--coupling=b(relation=facs, matching_form=my_missing_squares(margin=0.1))",
        f"--output={tmp_path}",
        *SHORT,
    )
    history = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["history"]
    for name in "ab":
        assert np.isfinite(history[f"{name}_distribution_matching_loss"]).all()


CONTRACT = [
    function
    for name, function in vars(contract).items()
    if name.startswith("test_") and list(inspect.signature(function).parameters) == ["form"]
]


@pytest.mark.parametrize("name", ["my_squares", "my_missing_squares"])
def test_forms_keep_what_every_form_keeps(name):
    plugins.load(example("my_form"))
    assert len(CONTRACT) > 8
    for kept in CONTRACT:
        kept(MATCHING_FORMS.get(name))


def test_forms_compute_what_they_say():
    plugins.load(example("my_form"))
    arguments = contract.inputs()
    p = 1 / (1 + np.exp(-arguments["attribute_logits"]))
    q = keras.ops.convert_to_numpy(
        mixture(arguments["class_logits"], arguments["relatedness"].conditional)
    )
    values, weights = contract.call(MATCHING_FORMS.get("my_squares"), arguments)
    np.testing.assert_allclose(values, ((p - q) ** 2).mean(axis=1), rtol=1e-5)
    assert (weights == 1).all()
    missing = 1 - arguments["masks"]["attributes"]
    form = MATCHING_FORMS.get("my_missing_squares")
    values, weights = contract.call(form, arguments, margin=0.25)
    beyond = np.maximum(np.abs(p - q) - 0.25, 0) ** 2
    np.testing.assert_allclose(values, (missing * beyond).sum(axis=1), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(weights, missing.max(axis=1))
    linear = COUPLING_FORMS.get("linear_matching/my_predicted_values").function
    relation = Linear(("u", "v"), ("x",), [[1.0], [2.0]], [0.5], "by hand")
    # p = 1/2 both: expected 1/2 + 1 + 1/2 = 2, so that 3 is off by 1.
    values, weights = linear(np.zeros((2, 2)), [[3.0], [3.0]], relation, {}, {"values": [[1], [0]]})
    np.testing.assert_allclose(values, [1, 1])
    np.testing.assert_array_equal(weights, [0, 1])


def test_mixing_puts_copies_behind_a_batch():
    plugins.load(example("my_mixing"))
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (4, 8, 8, 3)).astype(np.float32)
    labels, masks = {"kind": np.eye(4, dtype=np.float32)}, {"kind": np.ones(4, np.float32)}
    batches = tf.data.Dataset.from_tensors((images, labels, masks)).repeat(2)
    mix = data.MIXING.get("noisy_copies")
    first, second = mix(batches, 3, 5, deviation=0.2, weight=0.5)
    (again,) = mix(batches.take(1), 3, 6, deviation=0.2, weight=0.5)
    mixed, mixed_labels, mixed_masks = first
    np.testing.assert_array_equal(mixed[:4], images)
    assert np.std(mixed[4:] - images) == pytest.approx(0.2, rel=0.1)
    np.testing.assert_array_equal(again[0], second[0])  # By seed and number of the batch alone.
    assert np.abs(second[0] - mixed)[4:].max() > 0.1
    np.testing.assert_array_equal(mixed_labels["kind"], np.concatenate([labels["kind"]] * 2))
    np.testing.assert_array_equal(mixed_labels[VIRTUAL], [0] * 4 + [1] * 4)
    np.testing.assert_array_equal(mixed_masks[VIRTUAL], [1] * 4 + [0.5] * 4)
    with pytest.raises(ValueError, match="deviation must be finite"):
        data.mixes_in_parts("noisy_copies(deviation=-1)", data.Part(0, 2, 4))


def test_a_table(eager, faces, tmp_path, monkeypatch):
    tiny.keep(monkeypatch)
    module = plugins.load(example("my_table"))
    monkeypatch.setitem(module.PRESETS, "quick", (1, 2))
    given = ["--only=drawn faces / dropout 0.0", "--workers=0", f"--data_dir={faces}"]
    monkeypatch.setattr(sys, "argv", ["my_table.py", *given, f"--output={tmp_path}"])
    module.main()
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "coupled" in text
    assert (tmp_path / "report.html").is_file()


@pytest.mark.parametrize(("spec", "expected"), [(None, "python mine/t.py"), ("x", "python -m ")])
def test_a_table_records_the_command_that_runs_it(spec, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", spec)
    monkeypatch.setattr(sys.modules["__main__"], "__file__", "mine/t.py", raising=False)
    monkeypatch.setattr(sys, "argv", ["mine/t.py", f"--output={tmp_path}"])
    assert options(None, "t", ["demo"]).command.startswith(expected)
