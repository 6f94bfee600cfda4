"""When the frames of a video are shown, which are looked at, and whether its end is missing."""

from __future__ import annotations

import collections
import math
import statistics

_STEPS = 101  # of which the median is taken
_RESTART = 1.0  # seconds by which stamps that start again fall; frames out of order fall by less
_NO_TIME = 1e12  # seconds, beyond which a stamp is a mark for "none"
# Containers round time stamps to milliseconds, so that a third of a second may be at 0.333.
_ROUNDING = 0.0005


class Clock:
    """Turns the time stamps of a video's frames, read in order, into times that never fall.

    A first frame without a stamp is at 0. A later one whose stamp is missing (NaN, negative) or not
    after an earlier one is shown one step after the frame before: the median of the last steps
    between stamps, or else that of the frame rate. Where stamps start again, as in files put one
    behind another, the times go on.

    Args:
        rate: Frames a second, as the header says; what is no positive number counts as unknown.

    Attributes:
        time: Of the last frame that has one, in seconds; None: none has.
        frames: How many frames there were.
        longest: The longest step between two frames, in seconds.
        replaced: How many frames got their time from a step.
        unknown: How many have none: neither stamps nor a rate gave a step.
    """

    def __init__(self, rate: float) -> None:
        self.time: float | None = None
        self.frames = self.replaced = self.unknown = 0
        self.longest = 0.0
        self._rate = known_rate(rate)
        self._steps: collections.deque[float] = collections.deque(maxlen=_STEPS)
        self._latest = self._offset = 0.0

    def tick(self, stamp: float) -> float | None:
        """Return the time of the next frame in seconds; None: it is not known.

        Args:
            stamp: Its time stamp in seconds.
        """
        self.frames += 1
        if not 0 <= stamp <= _NO_TIME:  # NaN, too, is no time
            return self._replace()
        if self.time is None or stamp > self._latest:
            return self._follow(stamp)
        if stamp < self._latest - _RESTART:
            self.replaced += 1
            self._offset = self.time + (self._step() or 0.0) - stamp
            self._latest = stamp
            return self._advance(stamp + self._offset)
        return self._replace()

    def _follow(self, stamp: float) -> float:
        if self.frames > 1:
            self._steps.append(stamp - self._latest)
        self._latest = stamp
        return self._advance(stamp + self._offset)

    def _replace(self) -> float | None:
        if self.time is None:
            return self._advance(0.0)  # where a video begins
        step = self._step()
        if step is None:
            self.unknown += 1
            return None
        self.replaced += 1
        return self._advance(self.time + step)

    def _advance(self, time: float) -> float:
        if self.time is not None:
            time = max(time, self.time)  # A step may have gone further than the next stamp.
            self.longest = max(self.longest, time - self.time)
        self.time = time
        return time

    def _step(self) -> float | None:
        if self._steps:
            return statistics.median(self._steps)
        return None if self._rate is None else 1.0 / self._rate


def known_rate(rate: float) -> float | None:
    """Return a frame rate, or None where a header gives no positive number."""
    return rate if math.isfinite(rate) and rate > 0 else None


def announced_seconds(count: float, rate: float) -> float | None:
    """Return how long a video is by its header; None: it does not say.

    Args:
        count: Number of frames that is announced.
        rate: Frames a second that are announced. Where one is made up, both are.
    """
    known = known_rate(rate)
    return count / known if known and math.isfinite(count) and count > 0 else None


def is_sampled(time: float, before: float | None, fps: float) -> bool:
    """Return whether a frame is looked at: the first one at or after each multiple of 1/fps.

    Args:
        time: Of the frame, in seconds.
        before: Of the frame before; None: it is the first.
        fps: Frames a second to look at; 0: all.
    """
    if fps <= 0 or before is None:
        return True
    return math.floor((time + _ROUNDING) * fps) > math.floor((before + _ROUNDING) * fps)


def breaks_off(clock: Clock, count: float, rate: float) -> bool:
    """Return whether a video ended well before the time that its header announces.

    Some containers count the frames, others multiply a length by a rate that may be made up: it
    breaks off only if it is short by time and by number.

    Args:
        clock: After the last frame.
        count: Number of frames that is announced.
        rate: Frames a second that are announced.
    """
    length = announced_seconds(count, rate)
    if length is None or clock.time is None:
        return False
    # The last frame may stand as long as any other, and some announce a frame or two too many.
    short = clock.time + 2 * clock.longest < 0.98 * length
    return short and clock.frames < 0.98 * count - 2
