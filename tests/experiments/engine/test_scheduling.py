"""Order, dependencies and time left, without a single training."""

import math
from typing import NamedTuple

import pytest

from experiments.engine.scheduling import Estimate, Schedule
from mtl_dm.progress import spoken


class Job(NamedTuple):
    key: str
    needs: tuple[str, ...] = ()

    @property
    def title(self):
        return f"job {self.key}"


def taken(schedule):
    return job.key if (job := schedule.take()) else None


def test_jobs_come_in_their_order_and_wait_for_what_they_need():
    first, student, last = jobs = [Job("a"), Job("b", ("a",)), Job("c")]
    schedule = Schedule(jobs)
    assert [taken(schedule) for _ in range(3)] == ["a", "c", None]
    assert schedule.finish(last) == []
    assert taken(schedule) is None
    schedule.finish(first)
    assert schedule.take() == student
    assert taken(schedule) is None


def test_what_the_schedule_does_not_hold_is_done():
    assert taken(Schedule([Job("b", ("a",))])) == "b"


def test_a_job_that_is_put_back_is_the_next():
    schedule = Schedule([Job("a"), Job("b")])
    schedule.put_back(schedule.take())
    assert taken(schedule) == "a"


def test_what_needs_a_failed_job_is_given_up_and_what_needs_that_too():
    jobs = [Job("a"), Job("b", ("a",)), Job("c", ("b",)), Job("d")]
    schedule = Schedule(jobs)
    assert schedule.finish(schedule.take(), ok=False) == jobs[1:3]
    assert [taken(schedule), taken(schedule)] == ["d", None]


def test_keys_are_distinct():
    with pytest.raises(ValueError, match="the same key"):
        Schedule([Job("a"), Job("a")])


def test_time_left():
    estimate = Estimate(2)
    assert math.isnan(estimate.left(["a"]))
    for kind, seconds in (("a", 10), ("a", 20), ("b", 60)):
        estimate.add(kind, seconds)
    # Mean of a 15, of b 60, of all 30.
    assert estimate.left(["a", "b", "new"]) == pytest.approx((15 + 60 + 30) / 2)
    assert estimate.left([]) == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (9e3, "2.5 h")],
)
def test_durations_in_words(seconds, text):
    assert spoken(seconds) == text
