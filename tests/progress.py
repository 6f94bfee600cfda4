"""Waiting for other programs as long as they get on, however busy the machine is.

A limit on the whole time fails where many share a processor. What tells a program that hangs from
a slow one is whether it still does anything: writes, or uses the processor.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

QUICKLY_COMPILED = {
    "XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
}
"""Environment of a program of few steps: to optimise them takes longer than they do.

The second flag halves what is left, for kernels come from the plain generator.
"""


def compiled_once(folder):
    """Environment of programs on JAX that compile the same: each reads what an earlier one made."""
    return {
        "JAX_COMPILATION_CACHE_DIR": str(folder),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


SILENCE_SECONDS = 600
"""A program that has done nothing for this long hangs."""

CPU_STEP_SECONDS = 3
"""Less than this in all of the silence is what idle threads use, not work."""


def wait_until(
    done, progress, silence=SILENCE_SECONDS, *, poll=0.05, clock=time.monotonic, sleep=time.sleep
):
    """Return once `done()` is true; fail where `progress()` has not changed for too long.

    Args:
        done: Whether what is waited for is there.
        progress: Any value that changes while the work goes on.
        silence: Seconds without a change after which the test fails.
        poll: Seconds between two looks at `done`; `progress` is looked at every second.
        clock: Tells the time.
        sleep: Waits.
    """
    seen, changed = progress(), clock()
    looked = changed
    while not done():
        if clock() - looked >= 1:
            looked, now = clock(), progress()
            if now != seen:
                seen, changed = now, looked
            elif looked - changed > silence:
                pytest.fail(f"Nothing has happened for {silence} s; last seen: {seen}.")
        sleep(poll)


class Program:
    """A program in a session of its own; what is left of it is killed at the end of the `with`.

    Args:
        command: What to run.
        watched: A folder in which it leaves files as it goes on, if any.
        options: For `subprocess.Popen`.
    """

    def __init__(self, command, watched=None, **options):
        with contextlib.ExitStack() as stack:
            self._files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(2)]
            self._open = stack.pop_all()
        self._watched = watched
        output, errors = self._files
        self.child = subprocess.Popen(
            [*map(str, command)], stdout=output, stderr=errors, start_new_session=True, **options
        )

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()
        self._open.close()

    @property
    def output(self):
        return self._read(0)

    @property
    def errors(self):
        return self._read(1)

    def _read(self, which):
        size = os.fstat(self._files[which].fileno()).st_size
        # Reading in place: the program writes where this file stands.
        return os.pread(self._files[which].fileno(), size, 0).decode(errors="replace")

    def progress(self):
        """Return what changes while the program works."""
        written = [os.fstat(file.fileno()).st_size for file in self._files]
        left = 0 if self._watched is None else sum(1 for _ in Path(self._watched).rglob("*"))
        return (*written, left, int(cpu_seconds(self.child.pid) // CPU_STEP_SECONDS))

    def until(self, done):
        """Wait until `done()`; fail if the program ends before it or hangs."""
        wait_until(lambda: self.child.poll() is not None or done(), self.progress)
        assert done(), self.errors[-2000:]

    def finish(self):
        """Wait for the end and return the exit status."""
        wait_until(lambda: self.child.poll() is not None, self.progress)
        return self.child.returncode


def run(command, **options):
    """Return (output, errors) of a program that must succeed."""
    with Program(command, **options) as program:
        status = program.finish()
        assert status == 0, program.errors[-2000:]
        return program.output, program.errors


def cpu_seconds(session):
    """Return what all processes of a session have used of the processor; 0 without /proc."""
    ticks = 0
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # It has just ended.
        if int(fields[3]) == session:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
