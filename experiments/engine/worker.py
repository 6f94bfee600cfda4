"""One worker process and the job that it has.

Nothing here needs TensorFlow: a process imports it when its first job arrives.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Generic

from experiments.engine.scheduling import J
from mtl_dm import plugins

ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
    ),
    "1",
)
"""Read by libraries as they are imported, so a process must be born with them."""


class Worker(Generic[J]):
    """A process of one thread, started with its first job.

    Args:
        compute: Called with a job in the process; a function of a module.
        prepare: Called once in the process before its first job; likewise.
        log: File for what the process prints.
    """

    def __init__(self, compute: Callable[[J], Any], prepare: Callable[[], Any], log: Path) -> None:
        self._compute, self._prepare, self._log = compute, prepare, log
        self._process: Any = None
        self.connection: Any = None
        self.job: J | None = None

    def give(self, job: J) -> None:
        """Send a job, to a new process where there is none."""
        if self._process is None:
            self._start()
        self.job = job
        # A process that has died meanwhile is noticed when its answer is awaited.
        with contextlib.suppress(BrokenPipeError):
            self.connection.send(job)

    def take(self) -> tuple[J, str, bool]:
        """Return the job that has ended, its error, and whether the process died of it."""
        job, self.job = self.job, None
        if job is None:
            raise ValueError("A worker without a job has none that could end.")
        try:
            return job, self.connection.recv(), False
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode
            self._process = None
            self.connection.close()
            return job, f"its process ended with {code} (see {self._log})", True

    def stop(self, *, at_once: bool) -> None:
        """End the process: after its job, or now."""
        if self._process is None:
            return
        if at_once:
            self._process.terminate()
        else:
            with contextlib.suppress(BrokenPipeError):
                self.connection.send(None)
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self.connection.close()
        self._process = None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        files = [str(plugin.file) for plugin in plugins.loaded()]
        self._process = context.Process(
            target=_serve,
            args=(theirs, self._compute, self._prepare, self._log, files),
            daemon=True,
        )
        with _environment(ONE_THREAD), _deaf_to_interrupts():
            self._process.start()
        # Its end here would keep the pipe open after the process has died.
        theirs.close()


def _serve(
    connection: Connection,
    compute: Callable[[Any], Any],
    prepare: Callable[[], Any],
    log: Path,
    files: Sequence[str],
) -> None:
    """Compute jobs until there are no more; what it prints goes into the log.

    Args:
        connection: Of jobs and answers.
        compute: As of `Worker`.
        prepare: As of `Worker`.
        log: As of `Worker`.
        files: Plugins of the study, whose names jobs hold.
    """
    # The study stops its workers; an interrupt at the keyboard reaches all of them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_study, daemon=True).start()
    with log.open("a", encoding="utf-8", buffering=1) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        prepare()
        plugins.load_all(files)
        with contextlib.suppress(EOFError):
            while (job := connection.recv()) is not None:
                connection.send(error_of(compute, job))


def error_of(compute: Callable[[Any], Any], job: Any) -> str:
    """Compute a job; return what went wrong, or nothing."""
    try:
        compute(job)
    except Exception as error:  # Whatever it is, the other jobs go on.
        traceback.print_exc()
        return f"{type(error).__name__}: {error}"
    return ""


def _end_with_the_study() -> None:
    """End this process when the study's is gone: killed, it cannot stop its workers itself."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Let a process that is started here ignore interrupts from its first moment on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
