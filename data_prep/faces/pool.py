"""Work spread over processes of this machine."""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool

from data_prep.faces.records import Record
from data_prep.faces.worker import Job, Setup, Worker

# Jobs that wait in the pool for each process: enough to keep it busy, few to keep memory flat.
_WAITING = 4

_worker: Worker | None = None


def run_local(jobs: Iterable[Job], setup: Setup, processes: int) -> Iterator[Record]:
    """Yield the records of all jobs, in the order in which they are finished.

    Args:
        jobs: What to do.
        setup: How.
        processes: How many; 1 works in this one.

    Raises:
        RuntimeError: If a process died, of a decoder's crash or for want of memory.
        OSError: If the target cannot be written.
    """
    if processes == 1:
        worker = Worker(setup)
        with contextlib.closing(worker):
            yield from map(worker.do, jobs)
        return
    with _light_start():
        yield from _run(jobs, setup, processes)


def _run(jobs: Iterable[Job], setup: Setup, processes: int) -> Iterator[Record]:
    # A forked child would inherit locks of threads that it does not have.
    context = multiprocessing.get_context("spawn")
    pool = concurrent.futures.ProcessPoolExecutor(
        processes, mp_context=context, initializer=_start, initargs=(setup,)
    )
    try:
        yield from _in_flight(pool, jobs, processes * _WAITING)
    except BrokenProcessPool as error:
        raise RuntimeError(
            "A worker process died (a crash in a decoder, or too little memory). The same command "
            "goes on from here; --processes=1 shows at which image it happens."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def _light_start() -> Iterator[None]:
    """Let the processes that are started meanwhile do without TensorFlow.

    Importing mtl_dm brings Keras, whose default brings TensorFlow: seconds and half a gigabyte
    for each process, which finds faces without it.
    """
    before = os.environ.get("KERAS_BACKEND")
    os.environ["KERAS_BACKEND"] = "numpy"
    try:
        yield
    finally:
        if before is None:
            del os.environ["KERAS_BACKEND"]
        else:
            os.environ["KERAS_BACKEND"] = before


def _in_flight(
    pool: concurrent.futures.Executor, jobs: Iterable[Job], limit: int
) -> Iterator[Record]:
    queue = iter(jobs)
    pending = {pool.submit(_do, job) for job in itertools.islice(queue, limit)}
    while pending:
        done, pending = concurrent.futures.wait(
            pending, return_when=concurrent.futures.FIRST_COMPLETED
        )
        pending |= {pool.submit(_do, job) for job in itertools.islice(queue, len(done))}
        for future in done:
            yield future.result()


def _start(setup: Setup) -> None:
    global _worker
    # Ctrl-C reaches the whole group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker = Worker(setup)


def _end_with_parent() -> None:
    # A killed parent cannot end its workers, and they would wait for work for ever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(job: Job) -> Record:
    if _worker is None:
        raise RuntimeError("The process was not started by this pool.")
    return _worker.do(job)
