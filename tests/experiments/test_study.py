"""What a user types reaches a study, or is refused."""

import subprocess
import sys
from pathlib import Path

import pytest

from experiments import coupling_study, table1, table4

ROOT = Path(__file__).parents[2]
TARGETS = ("study", "reproduce-table1", "reproduce-table2", "reproduce-table4")


@pytest.mark.parametrize("module", [coupling_study, table1, table4], ids=lambda each: each.TABLE)
def test_repetitions_that_a_study_fixes_are_not_taken(module, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    # Should the option be taken after all, nothing else lets the study start.
    monkeypatch.setattr(sys, "argv", ["study.py", "--seeds=3", "--preset=none", "--data_dir=."])
    with pytest.raises(SystemExit) as stop:
        module.main()
    assert stop.value.code == 2
    assert "unrecognized arguments: --seeds=3" in capsys.readouterr().err


@pytest.mark.parametrize("target", TARGETS)
def test_make_passes_on_what_was_given(target):
    plain, given = commands(target), commands(target, "SEEDS=3", "ONLY=a b", "DATA_DIR=c")
    assert not any(option in plain for option in ("--seeds", "--only", "--data_dir"))
    for option in ("--seeds='3'", "--only='a b'", "--data_dir='c'"):
        assert option in given
    assert 'SEEDS=3 ONLY="a b" DATA_DIR="c"' in given  # As what was typed, for the record.


def commands(target, *variables):
    """What make would run."""
    arguments = ["make", "--dry-run", "--no-print-directory", target, *variables]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout
