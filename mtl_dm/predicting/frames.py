"""Images of photos and videos, one at a time, or the reason why there is none."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

import cv2

from mtl_dm import faces
from mtl_dm.predicting.inputs import Item


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """A photo, or one frame of a video.

    Args:
        item: Where it comes from.
        index: Number of the frame in the video, from 0; None for a photo.
        image: uint8 [height, width, 3], red first; None: it cannot be seen.
        reason: Why not.
    """

    item: Item
    index: int | None = None
    image: faces.Image | None = None
    reason: str | None = None


def frames(items: Sequence[Item], fps: float) -> Iterator[Frame]:
    """Yield every photo and the sampled frames of every video, in order.

    Args:
        items: Photos and videos.
        fps: Frames to look at for a second of video; 0: all of them.
    """
    for item in items:
        if item.reason is not None:
            yield Frame(item, reason=item.reason)
        elif item.is_video:
            yield from _video(item, fps)
        else:
            yield _photo(item)


def count(items: Sequence[Item], fps: float) -> int:
    """Return about how many frames there will be: videos announce their length, some wrongly."""
    total = 0
    for item in items:
        announced = 0.0
        if item.is_video and item.reason is None:
            capture = cv2.VideoCapture(str(item.path))
            rate, announced = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
            capture.release()
            if fps > 0 and rate > fps:
                announced *= fps / rate
        total += max(1, math.ceil(announced))
    return total


def is_sampled(index: int, rate: float, fps: float) -> bool:
    """Return whether frame `index` is looked at: the first one at or after each multiple of 1/fps.

    Args:
        index: From 0; frame `index` is shown at `index / rate` seconds.
        rate: Frames a second of the video.
        fps: Frames a second to look at; 0: all.
    """
    if fps <= 0 or fps >= rate:
        return True
    # Slack: 3 * (1 / 3) may round below 1.
    step = fps / rate
    return math.floor(index * step + 1e-9) > math.floor((index - 1) * step + 1e-9)


def _photo(item: Item) -> Frame:
    if item.path.exists() and not item.path.is_file():
        return Frame(item, reason="not a regular file")  # Reading a pipe would wait for ever.
    try:
        return Frame(item, image=faces.read_image(item.path))
    except OSError as error:
        return Frame(item, reason=f"the file cannot be read ({error.strerror})")
    except ValueError as error:
        return Frame(item, reason=str(error))


def _video(item: Item, fps: float) -> Iterator[Frame]:
    if item.path.exists() and not item.path.is_file():
        yield Frame(item, reason="not a regular file")
        return
    try:
        with item.path.open("rb"):  # OpenCV does not say what is wrong with a file.
            pass
    except OSError as error:
        yield Frame(item, reason=f"the file cannot be read ({error.strerror})")
        return
    capture = cv2.VideoCapture(str(item.path))
    try:
        yield from _sampled(item, capture, fps)
    finally:
        capture.release()


def _sampled(item: Item, capture: cv2.VideoCapture, fps: float) -> Iterator[Frame]:
    rate = capture.get(cv2.CAP_PROP_FPS)
    announced = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    if not capture.isOpened():
        yield Frame(item, reason="not a video that can be decoded")
        return
    if fps > 0 and not (math.isfinite(rate) and rate > 0):
        yield Frame(item, reason="the video does not say how many frames a second it has: --fps=0")
        return
    index = 0
    # Every frame is decoded in turn, those between samples without conversion: a jump would
    # decode again from the last key frame, at a cost that grows with the distance to it.
    while capture.grab():
        if is_sampled(index, rate, fps):
            done, blue_first = capture.retrieve()
            if done:
                yield Frame(item, index, cv2.cvtColor(blue_first, cv2.COLOR_BGR2RGB))
            else:
                yield Frame(item, index, reason="the frame cannot be decoded")
        index += 1
    if index == 0:
        yield Frame(item, reason="the video has no frame that can be decoded")
    elif index < announced * 0.98 - 2:  # Some containers announce a frame or two too many.
        reason = f"the video breaks off: it announces {announced} frames"
        yield Frame(item, index, reason=reason)
