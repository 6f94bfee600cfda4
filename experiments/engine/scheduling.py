"""Which cell is next, and how long the rest will take."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Generic, Protocol, TypeVar


class Job(Protocol):
    """What a schedule asks of a cell."""

    @property
    def key(self) -> Any:
        """What tells it from the others."""

    @property
    def needs(self) -> Sequence[Any]:
        """Keys of the jobs that it waits for."""

    @property
    def title(self) -> str:
        """Its name for people."""


J = TypeVar("J", bound=Job)


class Schedule(Generic[J]):
    """Jobs in their order, each ready once those that it needs are done.

    What it needs and the schedule does not hold is done already.

    Args:
        jobs: In the order in which they are wanted.

    Raises:
        ValueError: If two have the same key.
    """

    def __init__(self, jobs: Sequence[J]) -> None:
        self._waiting = list(jobs)
        self._open = {job.key for job in jobs}
        if len(self._open) != len(self._waiting):
            raise ValueError("Two jobs have the same key.")
        self._failed: set[Hashable] = set()

    def take(self) -> J | None:
        """Return the first job that is ready, or None."""
        for place, job in enumerate(self._waiting):
            if not any(key in self._open for key in job.needs):
                return self._waiting.pop(place)
        return None

    def rest(self) -> list[J]:
        """Return the jobs that were never taken; all of them wait where none is being computed."""
        return list(self._waiting)

    def put_back(self, job: J) -> None:
        """Let a job that was taken be taken again, as the next."""
        self._waiting.insert(0, job)

    def finish(self, job: J, ok: bool = True) -> list[J]:
        """Note the end of a job that was taken; return those that can no longer be computed."""
        if ok:
            self._open.discard(job.key)
            return []
        self._failed.add(job.key)
        lost: list[J] = []
        while dropped := [
            job for job in self._waiting if any(key in self._failed for key in job.needs)
        ]:
            self._failed.update(job.key for job in dropped)
            self._waiting = [job for job in self._waiting if job.key not in self._failed]
            lost += dropped
        return lost


class Estimate:
    """How long jobs take, from those that have ended.

    Args:
        side_by_side: How many are computed at a time.
    """

    def __init__(self, side_by_side: int) -> None:
        self._side_by_side = max(1, side_by_side)
        self._seconds: dict[Any, list[float]] = {}

    def add(self, kind: Hashable, seconds: float) -> None:
        """Note how long a job of some kind took."""
        self._seconds.setdefault(kind, []).append(seconds)

    def left(self, kinds: Sequence[Hashable]) -> float:
        """Return the seconds that jobs of these kinds will take; NaN before the first has ended.

        A kind that none has ended of is taken to cost the mean of all.
        """
        every = [value for values in self._seconds.values() for value in values]
        if not every:
            return float("nan")
        mean = sum(every) / len(every)
        known = {kind: sum(values) / len(values) for kind, values in self._seconds.items()}
        return sum(known.get(kind, mean) for kind in kinds) / self._side_by_side
