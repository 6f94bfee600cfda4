"""Trainings that several hosts share, and what is seen of them from outside."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from experiments.bench.hosts.network import Host

POLL_SECONDS = 0.1


class Look(NamedTuple):
    """A look at all processes: when, and the seconds of a processor that each has used."""

    moment: float
    cpu: tuple[float, ...]


class End(NamedTuple):
    """How the command of a host ended: when, its exit status and its last line."""

    moment: float
    status: int
    line: str


class Seen(NamedTuple):
    """What was seen of a training.

    Attributes:
        epochs: The look when each epoch was seen to be saved, by number.
        acted: When something was done to it.
        ends: By host.
    """

    epochs: dict[int, Look]
    acted: float
    ends: list[End]


class Launcher:
    """`mtl_dm.launch` on a host, in a session of its own."""

    def __init__(
        self, command: Sequence[str], environment: dict[str, str], output: IO[str]
    ) -> None:
        self._output = output
        self._child = subprocess.Popen(
            command, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        self._end: End | None = None

    def trainer(self) -> int:
        """Return the process that trains: the launcher's only child.

        Raises:
            ProcessLookupError: If there is none.
        """
        pid = self._child.pid
        try:
            listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        except FileNotFoundError:
            listed = []
        if not listed:
            raise ProcessLookupError(f"{pid} has no child.")
        return int(listed[0])

    def end(self) -> End | None:
        """Return how it ended; None: it has not."""
        status = self._child.poll()
        if status is not None and self._end is None:
            self._output.seek(0)
            lines = self._output.read().strip().splitlines()
            self._end = End(time.monotonic(), status, lines[-1] if lines else "")
        return self._end

    def kill(self) -> None:
        """End all of it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()


def train(
    hosts: Sequence[Host],
    flags: Sequence[str],
    output: Path,
    *,
    act: Callable[[Sequence[Launcher]], None] | None = None,
    after: int = 1,
    own: Sequence[str] = (),
    environment: dict[str, str] | None = None,
) -> Seen:
    """Run one training on all hosts, a process on each, and look at it until all have ended.

    Args:
        hosts: The first one coordinates.
        flags: Of mtl_dm.train.
        output: Its folder.
        act: Done once, to the launchers; None: nothing.
        after: The epoch that is saved by then.
        own: Options of the launcher.
        environment: More of it.
    """
    epochs: dict[int, Look] = {}
    last, acted = Look(time.monotonic(), (0.0,) * len(hosts)), 0.0
    before = saved(output)
    with _launched(hosts, [*flags, f"--output={output}"], own, environment or {}) as launchers:
        while None in (ends := [each.end() for each in launchers]):
            last = _look(launchers, last)
            done = saved(output)
            if done > before:
                epochs.setdefault(done, last)
            if act is not None and done >= after and not acted:
                acted = time.monotonic()
                act(launchers)
            time.sleep(POLL_SECONDS)
        return Seen(epochs, acted, [end for end in ends if end is not None])


def saved(output: Path) -> int:
    """Return the last epoch of which the state is saved."""
    states = (output / "state").glob("epoch*.npz")
    return max((int(path.stem.removeprefix("epoch")) for path in states), default=0)


def _look(launchers: Sequence[Launcher], before: Look) -> Look:
    cpu = list(before.cpu)
    for index, launcher in enumerate(launchers):
        with contextlib.suppress(OSError, IndexError):  # It has just ended.
            stat = Path(f"/proc/{launcher.trainer()}/stat").read_text(encoding="utf-8")
            fields = stat.rpartition(")")[2].split()
            cpu[index] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return Look(time.monotonic(), tuple(cpu))


@contextlib.contextmanager
def _launched(
    hosts: Sequence[Host],
    flags: Sequence[str],
    own: Sequence[str],
    environment: dict[str, str],
) -> Iterator[list[Launcher]]:
    """Start the same command on every host; whatever is left of it is killed afterwards."""
    coordinator = f"{hosts[0].address}:{_free_port()}"
    with contextlib.ExitStack() as stack:
        launchers = []
        for index, host in enumerate(hosts):
            command = [*host.enter, sys.executable, "-m", "mtl_dm.launch", "--processes=1"]
            command += [f"--hosts={len(hosts)}", f"--host_index={index}"]
            command += [f"--coordinator={coordinator}", *own, "--", *flags]
            log = stack.enter_context(tempfile.TemporaryFile("w+", errors="replace"))
            launcher = Launcher(command, {**os.environ, **environment}, log)
            stack.callback(launcher.kill)
            launchers.append(launcher)
        yield launchers


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])
