import os

import cv2
import numpy as np
import pytest

from mtl_dm.predicting.frames import count, frames, is_sampled
from mtl_dm.predicting.inputs import list_inputs

FPS = 10


def items(*paths):
    return list_inputs(paths, paths[0].parent / "out").items


@pytest.fixture
def video(tmp_path):
    """Thirty frames; the grey of each tells its number."""
    path = tmp_path / "grey ö.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), FPS, (64, 48))
    if not writer.isOpened():
        pytest.skip("OpenCV writes no video here")
    for number in range(30):
        writer.write(np.full((48, 64, 3), 8 * number, np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize(
    ("rate", "fps", "expected"),
    [
        (10, 0, range(10)),
        (10, 20, range(10)),
        (10, 10, range(10)),
        (10, 1, [0]),
        (10, 5, range(0, 10, 2)),
        (10, 4, [0, 3, 5, 8]),  # at 0, 0.25, 0.5 and 0.75 seconds or the frame after
        (30, 10, [0, 3, 6, 9]),
    ],
)
def test_which_frames(rate, fps, expected):
    assert [n for n in range(10) if is_sampled(n, rate, fps)] == list(expected)


def test_one_frame_for_each_second_fraction_of_a_long_video():
    sampled = [n for n in range(30 * 3600) if is_sampled(n, 30, 3)]
    assert sampled == list(range(0, 30 * 3600, 10))


@pytest.mark.parametrize("fps", [0, 2, 5])
def test_sampled_frames_show_what_they_should(video, fps):
    found = list(frames(items(video), fps))
    assert [frame.index for frame in found] == list(range(0, 30, 1 if fps == 0 else FPS // fps))
    assert count(items(video), fps) == len(found)
    for frame in found:
        assert frame.image.mean() == pytest.approx(8 * frame.index, abs=3)


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


def test_a_video_that_breaks_off(video):
    whole = video.read_bytes()
    video.write_bytes(whole[: len(whole) // 2])
    found = list(frames(items(video), 0))
    if found[-1].reason is None:  # The index at the end of the file is gone: no length is known.
        assert len(found) < 30
    else:
        assert "breaks off" in found[-1].reason


def test_photos_that_cannot_be_seen(tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "text.png").write_bytes(b"hello")
    os.mkfifo(tmp_path / "pipe.jpg")
    os.mkfifo(tmp_path / "pipe.mp4")
    found = {frame.item.path.name: frame.reason for frame in frames(items_in(tmp_path), 1)}
    assert found == {
        "empty.jpg": "the file is empty",
        "link.jpg": "the file cannot be read (No such file or directory)",
        "pipe.jpg": "not a regular file",
        "pipe.mp4": "not a regular file",
        "text.png": "not an image that can be decoded",
    }


def items_in(folder):
    return list_inputs([folder], folder / "out").items
