"""Train with several processes that share every batch, on one host or many (JAX backend).

Two processes on this host, each with a GPU of its own where there are several; everything after --
is for mtl_dm.train:

    python -m mtl_dm.launch --processes=2 -- \
        --datasets=synthetic_faces/expression_only,synthetic_faces/action_units_only \
        --relatedness=facs --output=runs/two

Two hosts with four processes each: the same command on both, with --host_index=0 on the one whose
address --coordinator names and --host_index=1 on the other. --data_dir and --output must be
folders that all hosts see.

    python -m mtl_dm.launch --processes=4 --hosts=2 --host_index=0 --coordinator=10.0.0.1:12345 \
        -- --datasets=... --output=/shared/runs/eight

The processes talk without authentication or encryption. Those of one host do so over loopback,
which every user of that machine can reach; with several hosts the coordinator listens on all
addresses of host 0, and every process on ports of its own: give them a network of their own.

The result is that of one process. When a process dies, the others are ended; the same command
started again resumes. Needs the extra `jax`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import IO, NoReturn

from mtl_dm import processes
from mtl_dm.command_line import PLUGIN, PLUGIN_HELP, Parser, run_command
from mtl_dm.memory import require_processes

GRACE_SECONDS = 5
"""What a process gets to end by itself; JAX may hold SIGTERM back, so KILL follows."""

POLL_SECONDS = 0.2
TAIL_CHARACTERS = 4000


class _Parser(Parser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; see python -m mtl_dm.launch --help.")


def parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Return the launcher's own options and the flags of train.

    Args:
        arguments: The command line without the program.

    Raises:
        ValueError: If an option is wrong or the flags of train are missing.
    """
    own, train = list(arguments), []
    if "--" in own:
        cut = own.index("--")
        own, train = own[:cut], own[cut + 1 :]
    parser = _Parser(
        prog="python -m mtl_dm.launch",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--processes", type=int, required=True, help="Processes on this host.")
    parser.add_argument("--hosts", type=int, default=1, help="Hosts that train together.")
    parser.add_argument("--host_index", type=int, default=0, help="This host, from 0.")
    parser.add_argument(
        "--coordinator", help="HOST:PORT of host 0, any free port; needed with several hosts."
    )
    # Not as other commands do it: the processes import the files, not the launcher.
    parser.add_argument(f"--{PLUGIN}", action="append", default=[], type=str, help=PLUGIN_HELP)
    options = parser.parse_args(own)
    _check(options, train)
    return options, [*(f"--{PLUGIN}={path}" for path in options.plugin), *train]


def _check(options: argparse.Namespace, train: Sequence[str]) -> None:
    require_processes("--processes", options.processes)
    if options.hosts < 1:
        raise ValueError(f"--hosts must be at least 1, got {options.hosts}.")
    if not 0 <= options.host_index < options.hosts:
        raise ValueError(
            f"--host_index must lie between 0 and {options.hosts - 1}, got {options.host_index}."
        )
    if options.hosts > 1 and options.coordinator is None:
        raise ValueError("Several --hosts need --coordinator=HOST:PORT, an address of host 0.")
    if options.coordinator is not None:
        host, _, port = options.coordinator.rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError(f"--coordinator must be HOST:PORT, got {options.coordinator!r}.")
    if not train:
        raise ValueError(
            "The flags of mtl_dm.train go after --, for example: python -m mtl_dm.launch "
            "--processes=2 -- --datasets=NAME --output=DIR"
        )


def environments(
    options: argparse.Namespace, environment: Mapping[str, str]
) -> list[dict[str, str]]:
    """Return the environment of every process of this host.

    Args:
        options: What `parse` returned.
        environment: The one to start from.

    Raises:
        ValueError: If it asks for another backend, or JAX is not installed.
    """
    backend = environment.get("KERAS_BACKEND", "jax")
    if backend != "jax":
        raise ValueError(
            f"Several processes need KERAS_BACKEND=jax, but it is set to {backend!r}. "
            "Unset or change it."
        )
    if importlib.util.find_spec("jax") is None:
        raise ValueError("Several processes need JAX: pip install 'mtl-dm[jax]'.")
    first = options.host_index * options.processes
    coordinator = options.coordinator or f"127.0.0.1:{_free_port()}"
    shared = {
        # GPUs of one host, where they do not share memory.
        **({"NCCL_SOCKET_IFNAME": "lo"} if processes.on_loopback(coordinator) else {}),
        **environment,
        "KERAS_BACKEND": "jax",
        processes.COORDINATOR: coordinator,
        processes.PROCESSES: str(options.hosts * options.processes),
        processes.HOSTS: str(options.hosts),
        processes.LAUNCHER: str(os.getpid()),
    }
    made = [{**shared, processes.PROCESS: str(first + index)} for index in range(options.processes)]
    if options.processes > 1:
        for index, each in enumerate(made):
            each[processes.DEVICE] = str(index)
    return made


def openness(coordinator: str) -> str:
    """Return who can reach the processes, in one line."""
    if processes.on_loopback(coordinator):
        return (
            f"The processes talk over loopback ({coordinator}), which every user of this machine "
            "can reach, without authentication."
        )
    return (
        f"The coordinator ({coordinator}) listens on all addresses of its host, every process on "
        "ports of its own, without authentication or encryption."
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(command: Sequence[str], each: Sequence[Mapping[str, str]]) -> int:
    """Run a command once in every environment and end all runs as soon as one fails.

    The first run prints as usual; what the others print is shown if they are the ones that fail.

    Returns:
        0 if all succeeded, else 1.
    """
    with contextlib.ExitStack() as stack:
        logs: list[IO[bytes] | None] = [
            stack.enter_context(tempfile.TemporaryFile()) if index else None
            for index in range(len(each))
        ]
        children: list[subprocess.Popen[bytes]] = []
        stack.callback(_end, children)
        for environment, log in zip(each, logs, strict=True):
            children.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        failed = _first_failures(children)
        for index in failed:
            _show(logs[index])
            print(
                f"error: process {each[index][processes.PROCESS]} "
                f"{_how(children[index].returncode)}; the others are ended. The same command "
                "resumes from the last checkpoint.",
                file=sys.stderr,
            )
        return 1 if failed else 0


def _first_failures(children: Sequence[subprocess.Popen[bytes]]) -> list[int]:
    """Wait until all have succeeded or some have failed; return the indices of those."""
    while True:
        codes = [child.poll() for child in children]
        failed = [index for index, code in enumerate(codes) if code]
        if failed or all(code == 0 for code in codes):
            return failed
        time.sleep(POLL_SECONDS)


def _end(children: Sequence[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for child in children:
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _show(log: IO[bytes] | None) -> None:
    if log is None:
        return  # It went to the terminal already.
    log.seek(0)
    print(log.read().decode(errors="replace")[-TAIL_CHARACTERS:], file=sys.stderr)


def _how(code: int) -> str:
    if code == -signal.SIGABRT:  # After pages of its own stack, the cause far above.
        return (
            "was ended by SIGABRT, as JAX ends one when another has given no sign of life for "
            f"{processes.HEARTBEAT_SECONDS} s (a host or its network is gone)"
        )
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def main(arguments: Sequence[str]) -> int:
    """Start the processes and wait for them; return the exit code."""
    try:
        options, train = parse(arguments)
        each = environments(options, os.environ)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(openness(each[0][processes.COORDINATOR]), file=sys.stderr)
    return run_command(  # Whose end unwinds `run`, which ends the children.
        lambda: run([sys.executable, "-m", "mtl_dm.train", *train], each),
        "the same command resumes from the last checkpoint",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
