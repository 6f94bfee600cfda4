import os
import socket
from pathlib import Path

import cv2
import pytest

from mtl_dm.predicting.frames import count, readers
from mtl_dm.predicting.inputs import list_inputs
from tests import films

FPS = 10
# Dense and sparse by turns; the frame rate of the header is made up.
STAMPS = [0, 40, 80, 120, 900, 1000, 1010, 1020, 1030, 3500, 3540, 5000]


def frames(items, fps):
    return (read() for read in readers(items, fps))


def items(*paths):
    return list_inputs(paths, paths[0].parent / "out").items


@pytest.fixture
def video(tmp_path):
    """Thirty frames."""
    return films.write(tmp_path / "grey ö.avi", 30, FPS)


@pytest.fixture
def headers(monkeypatch):
    """Lets a test say what OpenCV reports: property -> value, or a function of the real value."""
    real, changes = cv2.VideoCapture, {}

    class Capture:
        def __init__(self, path):
            self._real = real(path)

        def get(self, name):
            value = self._real.get(name)
            change = changes.get(name, value)
            return change(value) if callable(change) else change

        def __getattr__(self, name):
            return getattr(self._real, name)

    monkeypatch.setattr(cv2, "VideoCapture", Capture)
    return changes


@pytest.mark.parametrize("fps", [0, 2, 5])
def test_sampled_frames_show_what_they_should(video, fps):
    found = list(frames(items(video), fps))
    assert [frame.index for frame in found] == list(range(0, 30, 1 if fps == 0 else FPS // fps))
    assert [frame.time for frame in found] == pytest.approx([f.index / FPS for f in found])
    assert count(items(video), fps) == len(found)
    for frame in found:
        assert frame.image.mean() == pytest.approx(films.grey(frame.index), abs=3)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])  # one announces a length, one a number
def test_a_variable_rate_is_sampled_by_time(tmp_path, suffix):
    path = films.write_stamped(tmp_path / f"film{suffix}", STAMPS)
    found = list(frames(items(path), 1))
    assert [(frame.index, frame.time) for frame in found] == [
        (0, 0.0), (5, 1.0), (9, 3.5), (11, 5.0),
    ]  # fmt: skip
    assert [frame.reason for frame in found] == [None] * 4
    for frame in found:
        assert frame.image.mean() == pytest.approx(films.grey(frame.index), abs=3)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_a_whole_file_of_a_made_up_rate_does_not_break_off(tmp_path, suffix):
    path = films.write_stamped(tmp_path / f"film{suffix}", STAMPS)
    found = list(frames(items(path), 0))
    assert [frame.time for frame in found] == pytest.approx([stamp / 1000 for stamp in STAMPS])
    assert not any(frame.reason for frame in found)


def test_stamps_that_fall_are_counted_on_and_that_is_said(tmp_path):
    path = films.write_stamped(tmp_path / "film.mkv", [0, 100, 200, 150, 160, 500, 600])
    *found, last = frames(items(path), 0)
    moments = [frame.time for frame in found]
    assert moments == sorted(moments)
    assert moments[:3] + moments[5:] == pytest.approx([0, 0.1, 0.2, 0.5, 0.6])
    assert last.reason.startswith("the time stamps of 2 of 7 frames are missing or do not rise")
    assert last.image is None


def test_a_recording_of_a_browser():
    default = Path(__file__).parents[2].parent / "shared" / "data"
    data = Path(os.environ.get("MTL_DM_TEST_DATA", default))
    recording = data / "cases" / "browser_recording.webm"
    if not recording.is_file():
        pytest.skip("the recording is not here: set MTL_DM_TEST_DATA to the folder of the data")
    # 181 frames in six seconds; the header says 1000 frames a second and no length.
    found = list(frames(items(recording), 1))
    assert [round(frame.time) for frame in found] == list(range(7))
    assert [frame.time - round(frame.time) < 0.05 for frame in found] == [True] * 7
    assert not any(frame.reason for frame in found)


@pytest.mark.parametrize("fps", [0, 1])
def test_no_stamps_at_all(video, headers, fps):
    headers[cv2.CAP_PROP_POS_MSEC] = 0.0
    *found, last = frames(items(video), fps)
    assert [frame.index for frame in found] == list(range(0, 30, 1 if fps == 0 else FPS))
    assert [frame.time for frame in found] == pytest.approx([f.index / FPS for f in found])
    assert last.reason.startswith("the time stamps of 29 of 30 frames are missing")


def test_stamps_without_a_rate(video, headers):
    headers[cv2.CAP_PROP_FPS] = 0.0
    assert [frame.index for frame in frames(items(video), 1)] == [0, 10, 20]
    assert count(items(video), 1) == 1


def test_neither_stamps_nor_a_rate(video, headers):
    headers |= {cv2.CAP_PROP_POS_MSEC: float("nan"), cv2.CAP_PROP_FPS: 0.0}
    first, last = frames(items(video), 1)
    assert (first.index, first.reason) == (0, None)
    assert last.reason.startswith("29 of 30 frames have no time stamp that rises")
    assert "--fps=0 takes all" in last.reason
    *found, last = frames(items(video), 0)
    assert [frame.time for frame in found] == [0.0] + [None] * 29
    assert "given no time" in last.reason


def test_frames_between_samples_cost_one_grab(video, monkeypatch):
    calls = []
    real = cv2.VideoCapture

    class Counting:
        def __init__(self, path):
            self._real = real(path)

        def __getattr__(self, name):
            calls.append(name)
            return getattr(self._real, name)

    monkeypatch.setattr(cv2, "VideoCapture", Counting)
    assert len(list(frames(items(video), 1))) == 3
    assert calls.count("grab") == 31
    assert calls.count("retrieve") == 3
    assert "set" not in calls  # no jumps


@pytest.mark.parametrize("content", [b"", b"no video at all" * 100])
def test_no_video(tmp_path, content):
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    (frame,) = frames(items(path), 1)
    assert frame.image is None
    assert frame.reason == "not a video that can be decoded"
    assert count(items(path), 1) == 1


def test_a_frame_that_cannot_be_converted(video, monkeypatch):
    def fail(*_):
        raise cv2.error("odd")

    monkeypatch.setattr(cv2, "cvtColor", fail)
    found = list(frames(items(video), 1))
    assert [(f.index, f.reason) for f in found] == [
        (number, "the frame cannot be decoded") for number in (0, 10, 20)
    ]


def test_a_video_that_breaks_off(tmp_path):
    path = films.write(tmp_path / "film.mkv", 300, FPS)  # its length is said at the beginning
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    *found, last = frames(items(path), 0)
    assert 100 < len(found) < 200
    assert not any(frame.reason for frame in found)
    end = f"{found[-1].time:.1f}"
    assert last.reason == f"the video breaks off after {end} s: it announces 30.0 s"
    assert last.remark
    assert last.time == found[-1].time


def test_files_that_cannot_be_seen(tmp_path, monkeypatch):
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "nothing")
    (tmp_path / "text.png").write_bytes(b"hello")
    os.mkfifo(tmp_path / "pipe.jpg")
    os.mkfifo(tmp_path / "pipe.mp4")
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.mp4")
    films.write(tmp_path / "z.avi", 3, FPS)
    found = {frame.item.path.name: frame.reason for frame in frames(items_in(tmp_path), 1)}
    assert found == {
        "empty.jpg": "the file is empty",
        "link.jpg": "the file cannot be read (No such file or directory)",
        "link.mp4": "the file cannot be read (No such file or directory)",
        "pipe.jpg": "not a regular file",
        "pipe.mp4": "not a regular file",
        "socket.mp4": "not a regular file",
        "text.png": "not an image that can be decoded (BMP, JPEG, PNG, TIFF, WEBP)",
        "z.avi": None,
    }
    assert count(items_in(tmp_path), 1) == 8


@pytest.mark.parametrize("name", ["null.mp4", "null.jpg"])
def test_a_device(tmp_path, name):
    (tmp_path / name).symlink_to("/dev/zero")
    (frame,) = frames(items(tmp_path / name), 1)
    assert frame.reason == "not a regular file"


def items_in(folder):
    return list_inputs([folder], folder / "out").items
