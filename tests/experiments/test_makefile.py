"""The Makefile's targets of studies."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TARGETS = re.findall(
    r"\$\(STUDY\) experiments\.(\w+) \$\((\w+)\)", (ROOT / "Makefile").read_text(encoding="utf-8")
)


def test_every_study_has_a_target():
    assert [name for name, _ in TARGETS] == [
        "coupling_study", "table1", "table2", "table3", "table4", "table5", "real_faces",
        "faces", "dynamic", "transfer",
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "given"), TARGETS)
def test_only_studies_that_train_take_workers(name, given):
    text = (ROOT / "experiments" / f"{name}.py").read_text(encoding="utf-8")
    assert given == ("OPTIONS" if "trains=False" in text else "TRAINING")


def make(*arguments, how="--dry-run"):
    # The Makefile stands for the environment. It is never to be remade, whichever file is newer.
    known = ["INSTALLED=Makefile", "--old-file=setup.py"]
    command = ["make", how, "--no-print-directory", *known, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_a_misspelt_variable_is_an_error():
    done = make("reproduce-table2", "SEED=3")
    assert done.returncode
    assert "Unknown variable SEED. Known: PRESET SEEDS" in done.stderr


@pytest.mark.parametrize("target", ["reproduce-table2", "pretrain"])
def test_any_text_reaches_the_study_as_it_is(target):
    folder = 'it\'s "here", a*[b]; echo $HOME $(shell false) $$'
    words = shlex.split(make(target, f"DATA_DIR={folder}").stdout)
    assert f"--data_dir={folder}" in words
    assert words[0] == f'MTL_DM_COMMAND=make {target} DATA_DIR="{folder}"'


@pytest.mark.parametrize(
    ("only", "run"), [("", ["tests.fuzz", "tests.fuzz.kills"]), ("x", ["tests.fuzz"])]
)
@pytest.mark.parametrize("failing", ["tests.fuzz", "tests.fuzz.kills", "none"])
def test_what_the_fuzzer_finds_does_not_keep_the_kills_from_running(only, run, failing, tmp_path):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "ran $2"\n[ "$2" != {failing} ]\n', encoding="utf-8")
    python.chmod(0o755)
    (tmp_path / ".fuzz").touch()
    done = make("fuzz", f"PY={python}", f"VENV={tmp_path}", f"ONLY={only}", how="--silent")
    assert re.findall("^ran (.*)$", done.stdout, re.MULTILINE) == run
    assert bool(done.returncode) == (failing in run)
