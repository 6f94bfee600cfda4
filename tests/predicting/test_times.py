import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_dm.predicting.times import Clock, announced_seconds, breaks_off, is_sampled

NAN = float("nan")


def times(stamps, rate=NAN):
    clock = Clock(rate)
    return [clock.tick(stamp) for stamp in stamps], clock


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
    assert sampled([number / rate for number in range(10)], fps) == list(expected)


def sampled(moments, fps):
    before = [None, *moments]
    return [n for n, time in enumerate(moments) if is_sampled(time, before[n], fps)]


@pytest.mark.parametrize("digits", [3, 12])
def test_one_frame_for_each_second_fraction_of_a_long_video(digits):
    # Stamps in milliseconds put the tenth frame at 0.333, before a third of a second.
    moments = [round(number / 30, digits) for number in range(30 * 3600)]
    assert sampled(moments, 3) == list(range(0, 30 * 3600, 10))


@given(st.lists(st.integers(1, 5000), max_size=60), st.floats(0.1, 100), st.integers(0, 100_000))
def test_the_first_frame_of_each_interval(steps, fps, start):
    moments = [(start + step) / 1000 for step in itertools.accumulate([0, *steps])]
    found = sampled(moments, fps)
    # By hand: the intervals of the grid that hold a frame, and the first frame of each.
    cells = np.floor((np.array(moments) + 0.0005) * fps)
    assert found == [int(np.flatnonzero(cells == cell)[0]) for cell in np.unique(cells)]


def test_stamps_that_rise_are_the_times():
    stamps = [0.25, 0.3, 1.5, 1.501, 60.0]
    found, clock = times(stamps, rate=1000)
    assert found == stamps
    assert (clock.replaced, clock.unknown, clock.frames) == (0, 0, 5)
    assert clock.longest == pytest.approx(60.0 - 1.501)


@pytest.mark.parametrize("absent", [0.0, NAN, -1.0, -math.inf, math.inf])
def test_absent_stamps_are_counted_at_the_rate(absent):
    found, clock = times([absent] * 4, rate=25)
    assert found == pytest.approx([0, 0.04, 0.08, 0.12])
    assert clock.replaced == 3


@pytest.mark.parametrize("rate", [NAN, 0, -1, math.inf])
def test_neither_stamps_nor_a_rate(rate):
    found, clock = times([0.0] * 4, rate)
    assert found == [0.0, None, None, None]
    assert clock.unknown == 3


def test_a_gap_is_filled_at_the_pace_of_the_stamps_before():
    # The header's 1000 frames a second is not what the stamps say.
    found, clock = times([0.0, 0.1, 0.2, NAN, 0.4, 0.4, 0.6], rate=1000)
    assert found == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert clock.replaced == 2


def test_frames_out_of_order():
    found, clock = times([0.0, 0.08, 0.04, 0.12, 0.16], rate=25)
    assert found == sorted(found)
    assert found[-1] == 0.16
    assert clock.replaced == 1


def test_stamps_that_start_again_go_on():
    part = [0.0, 0.5, 3.0, 3.5, 4.0]
    found, clock = times(part + part, rate=1000)
    # One step (the median of 0.5, 2.5, 0.5, 0.5) after the first part, then as stamped.
    assert found == pytest.approx(part + [4.5 + time for time in part])
    assert clock.replaced == 1


def test_one_absurd_stamp_spoils_no_step():
    found, _ = times([0.0, 0.1, 0.2, 1e9, 0.4, 0.5], rate=10)
    assert np.diff(found[3:]) == pytest.approx([0.1, 0.1])


@given(st.lists(st.floats(), max_size=40), st.floats(1e-9, 1e9) | st.sampled_from([NAN, 0.0, -1.0]))
def test_times_never_fall_whatever_the_stamps(stamps, rate):
    found, clock = times(stamps, rate)
    known = [time for time in found if time is not None]
    assert known == sorted(known)
    assert all(math.isfinite(time) for time in known)
    assert clock.unknown == found.count(None)


@pytest.mark.parametrize(
    ("count", "rate", "expected"),
    [
        (30, 10, 3),
        (-9e18, 1000, None),
        (0, 10, None),
        (30, 0, None),
        (30, NAN, None),
        (NAN, 1, None),
    ],
)
def test_what_a_header_announces(count, rate, expected):
    assert announced_seconds(count, rate) == expected


EVERY_100_MS = [number / 10 for number in range(60)]


@pytest.mark.parametrize(
    ("stamps", "count", "rate", "expected"),
    [
        (EVERY_100_MS, 60, 10, False),
        (EVERY_100_MS, 61, 10, False),  # one too many
        (EVERY_100_MS[:30], 60, 10, True),
        (EVERY_100_MS, 6000, 1000, False),  # 6 s at a made-up rate: by number it would be short
        (EVERY_100_MS[:30], 6000, 1000, True),
        (EVERY_100_MS, 60, 1, False),  # by time it would be short, but every frame was there
        (EVERY_100_MS, -9e18, 1000, False),  # no length is known
        ([0.0, 0.1, 5.0], 9000, 1000, False),  # the last still may stand as long as the first
        ([], 60, 10, False),
    ],
)  # fmt: skip
def test_what_breaks_off(stamps, count, rate, expected):
    assert breaks_off(times(stamps, rate)[1], count, rate) is expected
