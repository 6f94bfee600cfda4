"""What a user types reaches a study, or is refused."""

import subprocess
import sys
from pathlib import Path

import pytest

from experiments import coupling_study, table1, table2, table2_size, table4, table5
from experiments.engine.options import main_guard, options, require_known

ROOT = Path(__file__).parents[2]
TARGETS = ("study", *(f"reproduce-table{number}" for number in range(1, 6)))


@pytest.mark.parametrize(
    "module", [coupling_study, table1, table4, table5], ids=lambda each: each.TABLE
)
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
    assert not any(option in plain for option in ("--seeds", "--only", "--data_dir", "--preset"))
    assert f"MTL_DM_COMMAND='make {target}'" in plain
    for option in ("--seeds='3'", "--only='a b'", "--data_dir='c'"):
        assert option in given
    assert 'SEEDS=3 ONLY="a b" DATA_DIR="c"' in given  # As what was typed, for the record.


def test_make_passes_on_the_folder():
    given = commands("reproduce-table2", "OUTPUT=a b")
    assert "--output='a b'" in given
    assert 'make reproduce-table2 OUTPUT="a b"' in given


def test_a_dry_run_is_one_or_none_or_refused():
    assert "--dry_run" in commands("reproduce-table2", "DRY_RUN=1")
    assert "--dry_run" in commands("reproduce-table1", "DRY_RUN=1")  # Which does not know it.
    plain = commands("reproduce-table2", "DRY_RUN=0")
    assert "--dry_run" not in plain and "DRY_RUN" not in plain


def test_the_smallest_choice_is_recorded_as_typed():
    given = commands("reproduce-table2", "SEEDS=1", "PRESET=demo", "WORKERS=1")
    assert "'make reproduce-table2 PRESET=demo SEEDS=1 WORKERS=1'" in given
    assert all(option in given for option in ("--seeds='1'", "--preset='demo'", "--workers='1'"))


def commands(target, *variables):
    """What make would run."""
    arguments = ["make", "--dry-run", "--no-print-directory", target, *variables]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout


def parsed(monkeypatch, *arguments, **settings):
    monkeypatch.setattr(sys, "argv", ["table.py", *arguments])
    return options("A table.", "table", ("demo",), **settings)


class TestOptions:
    def test_defaults(self, monkeypatch):
        monkeypatch.delenv("MTL_DM_COMMAND", raising=False)
        found = parsed(monkeypatch, "--only=a b", seeds=3)
        assert (found.preset, found.seeds, found.only) == ("demo", 3, "a b")
        assert found.command == "python -m experiments.table '--only=a b'"
        assert found.folder == Path("runs/table")
        assert 1 <= found.workers <= 2

    @pytest.mark.parametrize(
        ("arguments", "folder"),
        [
            ((), "runs/table"),
            (("--preset=large",), "runs/table-large"),
            (("--preset=large", "--output=elsewhere"), "elsewhere"),
        ],
    )
    def test_every_preset_has_a_folder(self, monkeypatch, arguments, folder):
        monkeypatch.setattr(sys, "argv", ["table.py", *arguments])
        assert options("A table.", "table", ("demo", "large")).folder == Path(folder)

    def test_an_output_that_cannot_be_written_is_found_before_anything_trains(
        self, monkeypatch, tmp_path
    ):
        (tmp_path / "file").touch()
        with pytest.raises(OSError, match="file is no folder"):
            parsed(monkeypatch, f"--output={tmp_path / 'file' / 'study'}")
        found = parsed(monkeypatch, f"--output={tmp_path / 'file' / 'study'}", "--dry_run")
        assert found.dry_run  # Writes nothing.

    def test_the_command_is_what_make_says(self, monkeypatch):
        monkeypatch.setenv("MTL_DM_COMMAND", "make it")
        assert parsed(monkeypatch).command == "make it"

    @pytest.mark.parametrize(
        ("argument", "message"),
        [
            ("--preset=huge", "Unknown preset 'huge'. Known: demo"),
            ("--seeds=0", "seeds must be at least 1, got 0"),
            ("--workers=-1", "workers must be at least 0, got -1"),
            ("--workers=1000000000", "workers must be at most 1,024, got 1,000,000,000"),
        ],
    )
    def test_wrong_values(self, monkeypatch, argument, message):
        with pytest.raises(ValueError, match=message):
            parsed(monkeypatch, argument, seeds=1)

    def test_what_only_names_is_known(self):
        require_known("", ())
        require_known("a", ("a", "b"))
        with pytest.raises(ValueError, match=r"Unknown row or column 'c'. Known: a; b\."):
            require_known("c", ("a", "b"))


class TestGuard:
    def test_wrong_input_is_one_line(self, capsys):
        def wrong():
            raise ValueError("the reason")

        with pytest.raises(SystemExit) as stop:
            main_guard(wrong)
        assert stop.value.code == 1
        assert capsys.readouterr().err == "error: the reason\n"

    def test_an_interrupt_says_how_to_go_on(self, capsys):
        def interrupted():
            raise KeyboardInterrupt

        with pytest.raises(SystemExit) as stop:
            main_guard(interrupted)
        assert stop.value.code == 130
        assert "the same command goes on" in capsys.readouterr().err


@pytest.mark.parametrize(
    "module",
    [coupling_study, table1, table2, table2_size, table4, table5],
    ids=lambda each: each.TABLE,
)
def test_headers_say_what_one_needs_to_know(module):
    for word in ("Source:", "Command:", "Data:", "Expected", "Cost"):
        assert word in module.__doc__
