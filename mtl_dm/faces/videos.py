"""Video files of any name, opened in the one place where OpenCV gets a path."""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2

from mtl_dm.files import MAX_PIXELS, require_regular_file

_NO_VIDEO = "not a video that can be decoded"


@contextlib.contextmanager
def open_video(path: str | Path) -> Iterator[cv2.VideoCapture]:
    """Open a video file.

    Args:
        path: A regular file, under any name that the system takes.

    Yields:
        The capture, before its first frame; closed where the block ends.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is no regular file, or no video that can be decoded.
    """
    path = Path(path)
    require_regular_file(path)
    with path.open("rb"):  # OpenCV does not say what is wrong with a file.
        pass
    with _plain_name(path) as name:
        capture = cv2.VideoCapture(name)
        try:
            # A numbered image under a video's name is opened as a series of files.
            if not capture.isOpened() or capture.getBackendName() == "CV_IMAGES":
                raise ValueError(_NO_VIDEO)
            sides = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
            if math.prod(map(capture.get, sides)) > MAX_PIXELS:
                raise ValueError(f"the frames are too large: at most {MAX_PIXELS:,} pixels")
            yield capture
        finally:
            capture.release()


@contextlib.contextmanager
def _plain_name(path: Path) -> Iterator[str]:
    """Yield a name for the file that means nothing but a file, and that OpenCV can take.

    A relative "14:05:33.mp4" would be an address of the protocol "14", "%02d" a series of files,
    and a name that is not UTF-8 ends the process.
    """
    absolute = os.path.abspath(path)  # noqa: PTH100 - links are followed by whoever opens it
    if _is_text(absolute) and "%" not in absolute:
        yield absolute
        return
    with tempfile.TemporaryDirectory() as folder:
        suffix = path.suffix if path.suffix.isascii() else ""
        link = Path(folder) / f"video{suffix}"
        link.symlink_to(absolute)
        yield str(link)


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
