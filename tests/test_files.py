import os
import stat
from pathlib import Path

import pytest

from mtl_dm.files import printable, require_regular_file, write_atomically, written_beside


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_text_is_utf8_and_bytes_are_kept(tmp_path):
    write_atomically(tmp_path / "text", "λ = 1\r\n")
    assert (tmp_path / "text").read_bytes() == "λ = 1\r\n".encode()
    write_atomically(tmp_path / "bytes", b"\x00\xff")
    assert (tmp_path / "bytes").read_bytes() == b"\x00\xff"


def test_missing_folders_are_made_and_a_string_is_a_path(tmp_path):
    write_atomically(str(tmp_path / "a" / "b" / "file"), "x")
    assert (tmp_path / "a" / "b" / "file").read_text() == "x"


def test_replaces_what_was_there(tmp_path):
    write_atomically(tmp_path / "file", "a longer old text")
    write_atomically(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "new"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()], ids=["os", "ctrl-c"])
def test_a_failing_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step, error):
    write_atomically(tmp_path / "file", "old")

    def fail(*_):
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)):
        write_atomically(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_a_failing_first_write_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(tmp_path / "file", "new")
    assert names(tmp_path) == []


def test_text_that_utf8_cannot_hold_leaves_the_old_file(tmp_path):
    write_atomically(tmp_path / "file", "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(tmp_path / "file", "\ud800")
    assert (tmp_path / "file").read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_a_reader_never_sees_half_of_it(tmp_path, monkeypatch):
    # The old file is whole until the rename, the new one from the rename on.
    write_atomically(tmp_path / "file", "old")
    seen = []
    replace = os.replace

    def watching(source, target):
        seen.append((tmp_path / "file").read_text())
        replace(source, target)
        seen.append((tmp_path / "file").read_text())

    monkeypatch.setattr(os, "replace", watching)
    write_atomically(tmp_path / "file", "new")
    assert seen == ["old", "new"]


def test_permissions_are_those_of_an_ordinary_file(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "file", "x")
        after = os.umask(0o027)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640
    assert after == 0o027


def test_names_that_are_no_text_are_spelled_in_bytes(tmp_path):
    name = os.fsdecode("ö".encode() + b"\xff\n.jpg")
    assert printable(name) == "ö\\xff\n.jpg"
    assert printable(tmp_path / name) == f"{tmp_path}/{printable(name)}"
    assert printable("plain \\xff") == "plain \\xff"


def test_what_is_no_regular_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "link"):
        require_regular_file(tmp_path / name)
    for path in (tmp_path, tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(ValueError, match=r"^not a regular file$"):
            require_regular_file(path)
    with pytest.raises(FileNotFoundError):
        require_regular_file(tmp_path / "none")


def test_what_is_written_by_its_name_takes_its_place_when_whole(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_size))
    with written_beside(tmp_path / "a" / "x.keras") as path:
        assert path.suffix == ".keras" and path.parent == tmp_path / "a"
        path.write_text("new")
        assert not (tmp_path / "a" / "x.keras").exists()
    assert synced == [3]  # Before the rename: else a crash of the machine may leave it empty.
    assert names(tmp_path / "a") == ["x.keras"]
    with pytest.raises(KeyboardInterrupt), written_beside(tmp_path / "a" / "x.keras") as path:
        path.write_text("half")
        raise KeyboardInterrupt
    assert names(tmp_path / "a") == ["x.keras"]
    assert (tmp_path / "a" / "x.keras").read_text() == "new"
