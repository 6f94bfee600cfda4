"""A command that is stopped while it still imports, or already exits, ends in one line."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

SCRIPT, PACKAGES = "mtl-dm", ("mtl_dm", "data_prep", "experiments")
"""What a command of ours is called, or is a module of."""

DEFAULTS = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


def runs_a_command(words: Sequence[str]) -> bool:
    """Return whether a Python process runs a command of ours, not somebody's own program.

    Args:
        words: The command line as `sys.orig_argv` has it, the interpreter first.
    """
    rest = iter(words[1:])
    for word in rest:
        if word in ("-X", "-W"):  # Python's options whose value is the next word.
            next(rest, None)
        elif not word.startswith("-"):  # A script, or the module behind -m.
            package, dot, _ = word.partition(".")
            return Path(word).name == SCRIPT or (package in PACKAGES and bool(dot))
    return False


def stop_in_one_line() -> None:
    """Let Ctrl-C and SIGTERM end this process in one line, until `run_command` takes over.

    Else a command that is stopped during the seconds of its imports shows a stack trace. Signals
    that somebody ignores or handles are left alone.
    """
    atexit.register(_leave)  # First, so that it is called last.
    try:
        shown = os.dup(2)  # What is imported quietly has the standard error put aside.
    except OSError:  # There is none.
        return

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        with contextlib.suppress(RuntimeError, OSError, ValueError):
            sys.stdout.flush()
        line = "Interrupted.\n" if number == signal.SIGINT else "Ended by SIGTERM.\n"
        with contextlib.suppress(OSError):
            os.write(shown, line.encode())
        os._exit(128 + number)  # An import may take an exception for an error of its own.

    for number, default in DEFAULTS.items():
        with contextlib.suppress(ValueError):  # Only the main thread may.
            if signal.getsignal(number) == default:
                signal.signal(number, stop)


_left_with: list[int] = []


def leave_with(status: int) -> None:
    """Have this process, if it runs a command, end with a status once all has been told.

    Threads of JAX that still compile crash where Python takes itself down under them.

    Args:
        status: Of the signal that stopped it.
    """
    _left_with[:] = [status]


def _leave() -> None:
    if not _left_with:
        return
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(RuntimeError, OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(_left_with[0])
