"""The command of the advisor, end to end on tiny faces; what it prints trains."""

import json
import shlex

import pytest

from mtl_dm import advise as advise_module
from mtl_dm import train as train_module
from mtl_dm.models import Coupling
from mtl_dm.relatedness import Relatedness, facs
from mtl_dm.training import flags, main, run
from mtl_dm.training.config import TrainConfig
from tests.built_faces import ANNOTATED, CO_ANNOTATED, EXPRESSIONS_ONLY, UNITS_ONLY
from tests.training.command_line import isolated_flags, parse

SETS = f"{EXPRESSIONS_ONLY},{UNITS_ONLY}"


def words_of(command):
    """As a shell reads it; shlex keeps the line ends that a shell drops after a backslash."""
    return shlex.split(command.replace("\\\n", ""))


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs a command as `start` does, but here; returns its status and what it printed."""
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    monkeypatch.setattr(run, "make_deterministic", lambda: None)

    def call(action, define, *arguments):
        monkeypatch.setattr(
            main.app, "run", lambda guarded: guarded(["command", *parse(*arguments)])
        )
        capsys.readouterr()
        with isolated_flags():
            try:
                main.start(action, define)
                status = 0
            except SystemExit as stop:
                status = stop.code
        return status, *capsys.readouterr()

    return call


@pytest.fixture
def advise(command, faces, tmp_path):
    def call(*arguments):
        return command(
            advise_module.advise,
            flags.define_advise_flags,
            f"--data_dir={faces}",
            f"--output={tmp_path / 'out'}",
            *arguments,
        )

    return call


@pytest.mark.parametrize(
    ("options", "relatedness"),
    [
        ([f"--datasets={SETS}", "--relatedness=facs"], "{out}/relatedness.json"),
        ([f"--datasets={SETS}", "--shares=1,3"], "learned"),
        ([f"--datasets={SETS}", "--relatedness=learned:facs"], "learned:{out}/relatedness.json"),
        ([f"--datasets={CO_ANNOTATED},{UNITS_ONLY}"], "{out}/relatedness.json"),
    ],
)
def test_writes_the_advice_and_a_command_that_parses(advise, tmp_path, options, relatedness):
    status, out, err = advise(*options)
    assert status == 0, err
    folder = tmp_path / "out"
    names = {path.name for path in folder.iterdir()}
    assert names == {"advice.html", "advice.md", "coupling.json", "relatedness.json"}
    content = json.loads((folder / "coupling.json").read_text("utf-8"))
    coupling = Coupling.from_dict(content["coupling"])
    assert coupling.relatedness == Relatedness.from_json(folder / "relatedness.json")
    assert coupling.matching_form == "conditional"
    assert content["command"] in out
    words = words_of(content["command"])
    assert words[:3] == ["python", "-m", "mtl_dm.train"]
    with isolated_flags():
        flags.define_train_flags()
        parse(*words[3:])
        config = flags.train_config()
    assert config.relatedness == relatedness.format(out=folder)
    # 64 images with attributes, with the 80 co-annotated ones 144.
    many = CO_ANNOTATED in options[0]
    assert config.attribute_reduction == content["attribute_reduction"]
    assert config.attribute_reduction == ("sum" if many else "mean")
    assert config.shares == ((1.0, 3.0) if "--shares=1,3" in options else None)


def test_the_printed_command_trains(advise, command, tmp_path):
    advise(f"--datasets={SETS}", "--relatedness=facs")
    content = json.loads((tmp_path / "out" / "coupling.json").read_text("utf-8"))
    words = words_of(content["command"])[3:]
    small = ["--image_size=16", "--batch_size=8", "--epochs=1", "--steps_per_epoch=2"]
    status, _, err = command(train_module.train, flags.define_train_flags, *words, *small)
    assert status == 0, err
    record = json.loads((tmp_path / "out" / "run" / "run.json").read_text("utf-8"))
    assert record["config"]["relatedness"].endswith("relatedness.json")


def test_nothing_to_couple(advise, tmp_path):
    status, out, _ = advise(f"--datasets={ANNOTATED}:test")
    assert status == 0
    assert out.startswith("Coupling will not help.")
    content = json.loads((tmp_path / "out" / "coupling.json").read_text("utf-8"))
    assert content["coupling"] is None
    assert "--relatedness" not in content["command"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([f"--datasets={SETS}", "--tasks=expression"], "needs a multiclass task and"),
        ([f"--datasets={SETS}", "--relatedness=none.json"], "No relatedness file at none.json"),
        ([f"--datasets={SETS}", "--relatedness=nothing"], "Unknown relatedness 'nothing'"),
        ([f"--datasets={SETS}", "--shares=1"], "one number per data set, 2"),
        ([f"--datasets={EXPRESSIONS_ONLY}"], "No training image is annotated"),
    ],
)
def test_wrong_input_ends_with_one_line(advise, tmp_path, arguments, message):
    status, _, err = advise(*arguments)
    assert status == 1
    assert message in err
    assert not (tmp_path / "out").exists()


def test_the_table_to_judge_is_not_replaced(advise, tmp_path):
    path = tmp_path / "out" / "relatedness.json"
    facs().to_json(path)
    status, _, err = advise(f"--datasets={SETS}", f"--relatedness={path}")
    assert status == 1
    assert "choose another --output" in err
    assert Relatedness.from_json(path) == facs()


def test_classes_and_values_are_trained_as_advised(advise, command, tmp_path):
    status, out, err = advise(
        f"--datasets={EXPRESSIONS_ONLY},{CO_ANNOTATED}", "--tasks=expression,valence_arousal"
    )
    assert status == 0, err
    assert "Values of valence_arousal" in out
    content = json.loads((tmp_path / "out" / "coupling.json").read_text(encoding="utf-8"))
    (coupling,) = content["couplings"]
    assert "target=valence_arousal" in coupling
    page = (tmp_path / "out" / "advice.html").read_text(encoding="utf-8")
    assert "Coupling expression and valence_arousal: advice before training" in page
    words = words_of(content["command"])
    assert words[:3] == ["python", "-m", "mtl_dm.train"]
    with isolated_flags():
        flags.define_train_flags()
        parse(*words[3:])
        assert flags.train_config().coupling_choices()
    status, _, err = advise(
        f"--datasets={CO_ANNOTATED}", "--tasks=expression,valence_arousal", "--relatedness=facs"
    )
    assert status == 1
    assert "--relatedness is of classes and attributes" in err


def test_images_that_are_counted_twice_are_named(faces, caplog):
    names = (UNITS_ONLY, f"{UNITS_ONLY}:train[:1]")
    advise_module._warn_of_shared_images(TrainConfig(names, data_dir=faces))
    [record] = caplog.records
    assert f"{names[0]} and {names[1]} share images, which" in record.getMessage()
