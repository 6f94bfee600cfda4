"""Output folders: tried first, held by one run, rid of what killed ones left."""

import argparse
import fcntl
import os
from pathlib import Path

import pytest
from absl import flags

from mtl_dm import files, outputs
from mtl_dm.command_line import Parser, expand_flags
from mtl_dm.files import temporary_prefix, write_atomically
from mtl_dm.outputs import LOCK, owned, prepare_output, require_writable
from tests.training.command_line import isolated_flags, parse


def test_a_second_run_names_the_first(tmp_path):
    (tmp_path / "out").mkdir()
    with owned(tmp_path / "out"):
        with owned(tmp_path / "out"):  # Parts of one run.
            pass
        said = (tmp_path / "out" / LOCK).read_text()
        assert f"process {os.getpid()} on " in said
    assert not (tmp_path / "out" / LOCK).exists()
    with (tmp_path / "out" / LOCK).open("w") as other:
        other.write("process 7 on elsewhere")
        other.flush()
        fcntl.flock(other, fcntl.LOCK_EX)
        with (
            pytest.raises(ValueError, match=r"out is in use by process 7 on elsewhere\. Wait"),
            owned(tmp_path / "out"),
        ):
            pass
    # A run that was killed left its file, and the system let go of the lock.
    with owned(tmp_path / "out"):
        assert said.split(" since")[0] in (tmp_path / "out" / LOCK).read_text()


def test_a_command_that_is_no_text(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["train", "--x=caf\udce9"])
    with owned(tmp_path):
        assert "train" in (tmp_path / LOCK).read_text(encoding="utf-8")


def test_folders_in_which_nothing_was_written_go_again(tmp_path):
    with owned(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").is_dir()
    assert list(tmp_path.iterdir()) == []
    with owned(tmp_path / "a" / "b"):
        (tmp_path / "a" / "file").touch()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["file"]


def test_what_killed_runs_left_is_removed_and_nothing_else(tmp_path, monkeypatch):
    mine, dead = temporary_prefix(), temporary_prefix().replace(str(os.getpid()), "999999999")
    monkeypatch.setattr(outputs, "_lives", lambda process: process == os.getpid())
    for name in (f"{mine}a", f"{dead}b", "below/file", f"below/{dead}c", f".writing-else-1-{dead}"):
        write_atomically(tmp_path / name, "x")
    (tmp_path / f"{dead}folder").mkdir()
    (tmp_path / f"{dead}folder" / "x").touch()
    prepare_output(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{mine}a", "below", f".writing-else-1-{dead}"
    }  # fmt: skip
    assert len(list((tmp_path / "below").iterdir())) == 2
    prepare_output(tmp_path, "below")
    assert [path.name for path in (tmp_path / "below").iterdir()] == ["file"]


def test_files_of_a_host_whose_name_goes_on_with_a_number_are_left(tmp_path, monkeypatch):
    monkeypatch.setattr(outputs, "_lives", lambda process: False)
    for host in ("gpu-12", "gpu"):
        monkeypatch.setattr(files.socket, "gethostname", lambda host=host: host)
        (tmp_path / f"{temporary_prefix()}{host}").touch()
    prepare_output(tmp_path)  # As the host "gpu".
    assert [path.name.partition("+")[0] for path in tmp_path.iterdir()] == [".writing-gpu-12"]


def test_an_output_is_tried_and_nothing_left(tmp_path, monkeypatch):
    require_writable(tmp_path / "not" / "yet")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    for name in ("file", "file/below"):
        with pytest.raises(OSError, match=f"{name} cannot be written: .*file is no folder"):
            require_writable(tmp_path / name)

    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(outputs.tempfile, "TemporaryFile", refuse)
    with pytest.raises(OSError, match=r"out cannot be written: Permission denied\."):
        require_writable(tmp_path / "out")


@pytest.mark.parametrize("arguments", [["--output="], ["--output", ""], ["--source="]])
def test_an_empty_folder_is_not_the_current_one(arguments, capsys):
    parser = Parser()
    parser.add_argument("--output")
    parser.add_argument("--source", type=Path)
    parser.add_argument("--only")
    assert parser.parse_args(["--only="]) == argparse.Namespace(output=None, source=None, only="")
    with pytest.raises(SystemExit):
        parser.parse_args(arguments)
    assert "must name a folder or file, it is empty" in capsys.readouterr().err


def test_an_empty_folder_in_the_flags_of_training():
    with isolated_flags():
        flags.DEFINE_string("output", None, "x")
        parse("--output=")
        with pytest.raises(ValueError, match="--output must name a folder, it is empty"):
            expand_flags()
