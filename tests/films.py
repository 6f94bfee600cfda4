"""Small drawn videos, whose grey tells which frame it is, at any time stamps."""

import cv2
import numpy as np
import pytest

SIZE = (64, 48)


def grey(number):
    """Return the value of the frame's pixels."""
    return 8 * number % 256


def write(path, count, rate):
    """Write `count` frames at a constant rate, or skip the test where OpenCV writes no video."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), rate, SIZE)
    if not writer.isOpened():
        pytest.skip("OpenCV writes no video here")
    for number in range(count):
        writer.write(np.full((SIZE[1], SIZE[0], 3), grey(number), np.uint8))
    writer.release()
    return path


def write_stamped(path, stamps):
    """Write a frame for each time stamp (milliseconds); the header says 1000 frames a second.

    OpenCV stamps only packets that are encoded already. Skips where it cannot.
    """
    writer = cv2.VideoWriter()
    raw = [getattr(cv2, "VIDEOWRITER_PROP_RAW_VIDEO", -1), 1]
    stamp = getattr(cv2, "VIDEOWRITER_PROP_PTS", -1)
    code = cv2.VideoWriter_fourcc(*"MJPG")
    if stamp < 0 or not writer.open(str(path), cv2.CAP_FFMPEG, code, 1000, SIZE, raw):
        pytest.skip("OpenCV writes no time stamps here")
    for number, milliseconds in enumerate(stamps):
        writer.set(stamp, milliseconds)
        pixels = np.full((SIZE[1], SIZE[0], 3), grey(number), np.uint8)
        writer.write(cv2.imencode(".jpg", pixels)[1])
    writer.release()
    return path
