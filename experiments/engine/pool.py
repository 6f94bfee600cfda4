"""Jobs computed side by side by worker processes; a job whose process dies gets one more try."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Generic, NamedTuple

from experiments.engine.scheduling import J, Schedule
from experiments.engine.worker import Worker, error_of

TRIES = 2
NEVER_READY = "what it needs was never done"


class Outcome(NamedTuple, Generic[J]):
    """How a job ended: an empty error means well."""

    job: J
    error: str


class Pool(Generic[J]):
    """Processes of one thread each, started when there is work; leaving the block ends them.

    Args:
        size: How many, at least 1.
        compute: Called with a job in a worker; a function of a module.
        prepare: Called once in every worker before its first job; likewise.
        logs: Folder for what the workers print, a file each.
        notify: Called with a line for people.
    """

    def __init__(
        self,
        size: int,
        compute: Callable[[J], Any],
        prepare: Callable[[], Any],
        logs: Path,
        notify: Callable[[str], Any] = print,
    ) -> None:
        self._workers: list[Worker[J]] = [
            Worker(compute, prepare, logs / f"worker{n}.txt") for n in range(size)
        ]
        self._notify = notify

    def __enter__(self) -> Pool[J]:
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        for worker in self._workers:
            worker.stop(at_once=kind is not None)

    def outcomes(self, schedule: Schedule[J], begun: Callable[[J], Any]) -> Iterator[Outcome[J]]:
        """Compute a schedule; yield each job as it ends, also those that cannot be computed.

        Args:
            schedule: The jobs.
            begun: Called with every job that a worker begins.
        """
        tries: dict[Any, int] = {}
        while busy := self._filled(schedule, begun):
            ended = []
            for connection in wait(list(busy)):
                job, error, died = busy[connection].take()
                tries[job.key] = tries.get(job.key, 0) + 1
                if died and tries[job.key] < TRIES:
                    self._notify(f"{job.title}: {error}; trying once more")
                    schedule.put_back(job)
                    continue
                ended.append(Outcome(job, error))
                lost = schedule.finish(job, ok=not error)
                ended += [Outcome(other, f"needs {job.title}") for other in lost]
            # Workers must not wait for whoever reads the outcomes.
            self._filled(schedule, begun)
            yield from ended
        yield from (Outcome(job, NEVER_READY) for job in schedule.rest())

    def _filled(self, schedule: Schedule[J], begun: Callable[[J], Any]) -> dict[Any, Worker[J]]:
        """Give idle workers what is ready; return the busy ones by their connection."""
        for worker in self._workers:
            job = schedule.take() if worker.job is None else None
            if job is not None:
                worker.give(job)
                begun(job)
        return {worker.connection: worker for worker in self._workers if worker.job is not None}


class Inline(Generic[J]):
    """Computes jobs in this process, one after another; stands where a pool does.

    Args:
        compute: Called with a job.
    """

    def __init__(self, compute: Callable[[J], Any]) -> None:
        self._compute = compute

    def __enter__(self) -> Inline[J]:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def outcomes(self, schedule: Schedule[J], begun: Callable[[J], Any]) -> Iterator[Outcome[J]]:
        """Compute a schedule; yield each job as it ends, also those that cannot be computed.

        Args:
            schedule: The jobs.
            begun: Called with every job that begins.
        """
        while (job := schedule.take()) is not None:
            begun(job)
            error = error_of(self._compute, job)
            lost = schedule.finish(job, ok=not error)
            yield Outcome(job, error)
            for other in lost:
                yield Outcome(other, f"needs {job.title}")
        yield from (Outcome(job, NEVER_READY) for job in schedule.rest())
