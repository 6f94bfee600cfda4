import ast
import os
from pathlib import Path

import cv2
import pytest

from mtl_dm.faces import open_video
from tests import films

ROOT = Path(__file__).parents[2]
NAMES = (
    b"14:05:33.avi",  # a relative name would be an address of the protocol "14"
    b"file:x.avi",
    b"concat:a|b.avi",
    b"%03d.avi",
    b"-x.avi",
    "grüße 世界.avi".encode(),
    b"\xff\xfe.avi",
    b"n\xff.AVI",
    b"two\nlines.avi",
)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return films.write(tmp_path_factory.mktemp("film") / "film.avi", 3, 10)


def count(path):
    with open_video(path) as capture:
        number = 0
        while capture.grab():
            number += 1
        return number


@pytest.mark.parametrize("name", NAMES)
def test_any_name_relative_or_absolute(film, tmp_path, monkeypatch, name):
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(film.read_bytes())
    monkeypatch.chdir(tmp_path)
    assert count(path) == count(path.name) == 3


def test_a_folder_of_any_name(film, tmp_path, monkeypatch):
    folder = tmp_path / os.fsdecode(b"\xff")
    folder.mkdir()
    (folder / "film.avi").write_bytes(film.read_bytes())
    monkeypatch.chdir(folder)
    assert count("film.avi") == 3


def test_a_link_to_a_name_that_is_no_text(film, tmp_path):
    real = tmp_path / os.fsdecode(b"\xff.avi")
    real.write_bytes(film.read_bytes())
    (tmp_path / "link.avi").symlink_to(real.name)
    assert count(tmp_path / "link.avi") == 3


def test_nothing_is_left(film, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = tmp_path / os.fsdecode(b"\xff.avi")
    path.write_bytes(film.read_bytes())
    with open_video(path) as capture:
        assert capture.isOpened()
    assert not capture.isOpened()
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_what_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "text.mp4").write_bytes(b"hello")
    for name, reason in (
        ("pipe.mp4", "not a regular file"),
        ("folder.mp4", "not a regular file"),
        ("text.mp4", "not a video that can be decoded"),
    ):
        with pytest.raises(ValueError, match=reason), open_video(tmp_path / name):
            pass
    with pytest.raises(FileNotFoundError), open_video(tmp_path / "none.mp4"):
        pass


def test_a_series_of_images_is_no_video(film, monkeypatch):
    real = cv2.VideoCapture
    monkeypatch.setattr(cv2, "VideoCapture", lambda path: Series(real(path)))
    with pytest.raises(ValueError, match="not a video"), open_video(film):
        pass


class Series:
    def __init__(self, real):
        self._real = real

    def getBackendName(self):  # noqa: N802 - OpenCV's name
        return "CV_IMAGES"

    def __getattr__(self, name):
        return getattr(self._real, name)


def test_opencv_gets_a_path_in_one_place():
    takes_a_path = {
        "VideoCapture", "VideoWriter", "imread", "imreadmulti", "imreadanimation", "imwrite",
        "imwritemulti", "imwriteanimation", "imcount", "FileStorage",
    }  # fmt: skip
    texts = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for part in ("mtl_dm", "data_prep", "experiments")
        for path in (ROOT / part).rglob("*.py")
    }
    found = {
        name
        for name, text in texts.items()
        if "cv2" in text
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in takes_a_path
    }
    # The second writes a film into a folder that it made itself.
    assert found == {"mtl_dm/faces/videos.py", "experiments/bench/load.py"}
