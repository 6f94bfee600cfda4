"""Images of photos and videos, one by one, or the reason why there is none."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence

import cv2

from mtl_dm import faces
from mtl_dm.predicting.inputs import Item
from mtl_dm.predicting.times import Clock, announced_seconds, breaks_off, is_sampled


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """A photo, or one frame of a video.

    Args:
        item: Where it comes from.
        index: Number of the frame in the video, from 0; None for a photo.
        time: When the video shows it, in seconds; None for a photo, or where it is not known.
        image: uint8 [height, width, 3], red first; None: it cannot be seen.
        scale: Pixels of the file for one of its own: a very large photo is read at half its size.
        reason: Why not.
        remark: Whether this is no image, but what is wrong with a video as a whole.
    """

    item: Item
    index: int | None = None
    time: float | None = None
    image: faces.Image | None = None
    scale: int = 1
    reason: str | None = None
    remark: bool = False


def readers(items: Sequence[Item], fps: float) -> Iterator[Callable[[], Frame]]:
    """Yield for every photo and every sampled frame of a video, in order, what reads it.

    A photo is read by the call, in whatever thread that is. A video has its frames one after the
    other, so that they are decoded here.

    Args:
        items: Photos and videos.
        fps: Frames to take of a second of video, by their time stamps; 0: all of them.
    """
    for item in items:
        if not item.is_video or item.reason is not None:
            yield functools.partial(_photo, item)
            continue
        try:
            for frame in _video(item, fps):
                yield functools.partial(_as_it_is, frame)
        except (OSError, ValueError) as error:
            yield functools.partial(_as_it_is, Frame(item, reason=_reason(error)))


def _photo(item: Item) -> Frame:
    if item.reason is not None:
        return Frame(item, reason=item.reason)
    try:
        image, scale = faces.read_scaled(item.path)
    except (OSError, ValueError) as error:
        return Frame(item, reason=_reason(error))
    return Frame(item, image=image, scale=scale)


def _as_it_is(frame: Frame) -> Frame:
    return frame


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return f"the file cannot be read ({error.strerror})"
    return str(error)


def count(items: Sequence[Item], fps: float) -> int:
    """Return about how many frames there will be: videos announce their length, some wrongly."""
    return sum(
        max(1, math.ceil(_announced(item, fps))) if item.is_video and item.reason is None else 1
        for item in items
    )


def _announced(item: Item, fps: float) -> float:
    try:
        with faces.open_video(item.path) as capture:
            number, rate = _header(capture)
    except (OSError, ValueError):
        return 0.0  # `frames` has the reason.
    seconds = announced_seconds(number, rate)
    if seconds is None:
        return 0.0
    return min(number, seconds * fps) if fps > 0 else number


def _header(capture: cv2.VideoCapture) -> tuple[float, float]:
    """Return the number of frames and the frames a second that a video announces."""
    return capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)


def _video(item: Item, fps: float) -> Iterator[Frame]:
    with faces.open_video(item.path) as capture:
        number, rate = _header(capture)
        clock = Clock(rate)
        # Every frame is decoded in turn, those between samples without conversion: a jump would
        # decode again from the last key frame, at a cost that grows with the distance to it.
        while capture.grab():
            before, index = clock.time, clock.frames
            time = clock.tick(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
            if fps <= 0 or (time is not None and is_sampled(time, before, fps)):
                yield _frame(item, index, time, capture)
    if clock.frames == 0:
        raise ValueError("the video has no frame that can be decoded")
    for reason in _doubts(clock, number, rate, fps):
        yield Frame(item, clock.frames, clock.time, reason=reason, remark=True)


def _frame(item: Item, index: int, time: float | None, capture: cv2.VideoCapture) -> Frame:
    try:
        done, blue_first = capture.retrieve()
        if done:
            return Frame(item, index, time, cv2.cvtColor(blue_first, cv2.COLOR_BGR2RGB))
    except (cv2.error, MemoryError):
        pass  # One odd frame out of thousands is not the end of the run.
    return Frame(item, index, time, reason="the frame cannot be decoded")


def _doubts(clock: Clock, number: float, rate: float, fps: float) -> Iterator[str]:
    """Yield what is wrong with a video, known once it is over."""
    if clock.replaced:
        yield (
            f"the time stamps of {clock.replaced} of {clock.frames} frames are missing or do not "
            "rise: their times are counted on from the frame before"
        )
    if clock.unknown:
        passed = "left out: --fps=0 takes all" if fps > 0 else "given no time"
        yield (
            f"{clock.unknown} of {clock.frames} frames have no time stamp that rises, and the "
            f"video no frame rate: they were {passed}"
        )
    if breaks_off(clock, number, rate):
        length = announced_seconds(number, rate)
        yield f"the video breaks off after {clock.time:.1f} s: it announces {length:.1f} s"
