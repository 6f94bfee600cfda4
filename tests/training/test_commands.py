"""The commands: two as processes of their own, the rest of their input in this process."""

import json
import os
import subprocess
import sys

import pytest

from mtl_dm import evaluate as evaluate_module
from mtl_dm import train as train_module
from mtl_dm.training import flags, main, run
from tests.built_faces import ANNOTATED, EXPRESSIONS_ONLY, UNITS_ONLY
from tests.training.command_line import isolated_flags, parse

SETS = f"{EXPRESSIONS_ONLY},{UNITS_ONLY}"


def process(module, folder, *arguments):
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def errors(text):
    return [line for line in text.splitlines() if line.startswith("error:")]


def test_train_as_a_process(faces, tmp_path):
    (tmp_path / "flags").write_text(
        f"--datasets={SETS}\n--data_dir={faces}\n--image_size=16\n--batch_size=8\n"
        "--epochs=1\n--steps_per_epoch=2\n--relatedness=facs\n",
        encoding="utf-8",
    )
    done = process("mtl_dm.train", tmp_path, "--flagfile=flags", "--seed=3", "--output=out")
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"best.keras", "last.keras", "run.json", "relatedness_0.json", "tensorboard"} <= names
    record = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert record["config"]["seed"] == 3
    assert record["config"]["relatedness"] == "facs"
    # No terminal: a line an epoch and no bar.
    assert "soft_co_annotation_loss" in done.stdout
    assert "\b" not in done.stdout
    assert "Traceback" not in done.stderr


def test_a_wrong_checkpoint_as_a_process(faces, tmp_path):
    done = process(
        "mtl_dm.evaluate",
        tmp_path,
        f"--datasets={EXPRESSIONS_ONLY}",
        f"--data_dir={faces}",
        "--checkpoint=none.keras",
        "--output=out",
    )
    assert done.returncode == 1
    assert errors(done.stderr) == ["error: No checkpoint at none.keras."]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs a command as `start` does, but here; returns its status and what it printed."""
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    deterministic = []
    monkeypatch.setattr(run, "make_deterministic", lambda: deterministic.append(True))

    def call(action, define, *arguments):
        def parse_and_run(guarded):
            guarded(["command", *parse(*arguments)])

        monkeypatch.setattr(main.app, "run", parse_and_run)
        capsys.readouterr()
        with isolated_flags():
            try:
                main.start(action, define)
                status = 0
            except SystemExit as stop:
                status = stop.code
        out, err = capsys.readouterr()
        return status, out, err, bool(deterministic)

    return call


@pytest.fixture
def train(command, faces, tmp_path):
    def call(*arguments, data_dir=faces):
        return command(
            train_module.train,
            flags.define_train_flags,
            f"--data_dir={data_dir}",
            f"--output={tmp_path / 'out'}",
            *arguments,
        )

    return call


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--datasets=nothing"],
            "Unknown data set 'nothing'. Known: abaw4_lsd, afew_va, aff_wild",
        ),
        (["--datasets=synthetic_faces/nothing"], "Unknown configuration 'nothing'"),
        ([f"--datasets={SETS}", "--backbone=nothing"], "compact_cnn, dense_trunk, "),
        ([f"--datasets={SETS}", "--tasks=expression,nothing"], "Unknown task ['nothing']"),
        ([f"--datasets={SETS}", "--matching=0.5"], "--matching has no effect"),
        ([f"--datasets={SETS}", "--relatedness=none.json"], "none.json"),
        ([f"--datasets={SETS}", "more"], "Unknown arguments ['more']; see --helpfull."),
        ([f"--datasets={SETS}", "--strategy=mirrored"], "at least two devices"),
    ],
)
def test_wrong_input_ends_with_one_line(train, tmp_path, arguments, message):
    status, out, err, _ = train(*arguments)
    assert status == 1
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert "Epoch" not in out
    assert not (tmp_path / "out").exists()


def test_unbuilt_data_name_the_command_that_builds_them(train, tmp_path):
    folder = tmp_path / "empty"
    status, _, err, _ = train("--datasets=clothing_attributes", data_dir=folder)
    assert status == 1
    assert errors(err) == [
        f"error: The data set 'clothing_attributes' is not built in {folder}. Build it with: "
        "python -m data_prep.build --dataset=clothing_attributes --source=DIR "
        f"--data_dir={folder}"
    ]


def test_the_folder_of_another_configuration(train, finished):
    status, _, err, deterministic = train(f"--datasets={SETS}", f"--output={finished.folder}")
    assert status == 1
    assert err.count("\n") == 1
    assert f"error: The output folder {finished.folder} holds a run of another" in err
    assert "relatedness: 'facs' there, None now" in err
    assert deterministic


def test_other_errors_are_not_hidden(command):
    def broken():
        raise RuntimeError("a bug of ours")

    with pytest.raises(RuntimeError, match="a bug of ours"):
        command(broken, lambda: None)


def test_an_output_that_is_a_file(train, tmp_path):
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    status, _, err, _ = train(f"--datasets={SETS}")
    assert status == 1
    assert len(errors(err)) == 1
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"


class TestEvaluate:
    @pytest.fixture
    def evaluate(self, command, faces, finished, tmp_path):
        def call(*arguments):
            return command(
                evaluate_module.evaluate,
                flags.define_evaluate_flags,
                f"--data_dir={faces}",
                f"--checkpoint={finished.folder / 'last.keras'}",
                f"--output={tmp_path / 'out'}",
                *arguments,
            )

        return call

    def test_writes_metrics(self, evaluate, tmp_path):
        name = f"{ANNOTATED}:test"
        status, out, err, _ = evaluate(f"--datasets={name}")
        assert (status, errors(err)) == (0, [])
        assert f"{name}  expression  accuracy " in out
        content = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
        assert "base_rate/AU1" in content["metrics"][name]["action_units"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--datasets=nothing"], "Unknown data set 'nothing'"),
            ([f"--datasets={ANNOTATED}"], "has the splits ['validation', 'test'], got ''"),
            ([f"--datasets={SETS}", "--checkpoint=none.keras"], "No checkpoint at none.keras."),
        ],
    )
    def test_wrong_input_ends_with_one_line(self, evaluate, tmp_path, arguments, message):
        status, _, err, _ = evaluate(*arguments)
        assert status == 1
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        assert message in err
        assert not (tmp_path / "out").exists()
