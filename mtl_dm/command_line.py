"""What all commands do, whoever parses their flags: "~" is the home folder, an end is one line."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from absl import flags

from mtl_dm import plugins
from mtl_dm.files import expand_home
from mtl_dm.stopping import leave_with
from mtl_dm.version import VERSION

VERSION_TEXT = f"mtl-dm {VERSION}"

FOLDERS = ("output", "target", "data_dir")
"""Options that name a folder to write; Path("") is the current one, which nobody means."""

PLUGIN = "plugin"
PLUGIN_HELP = (
    "A Python file of your own, imported first: what it registers can be named. May be given "
    "several times."
)


class Parser(argparse.ArgumentParser):
    """The parser of every command that uses argparse: values of options have their "~" replaced.

    What stands alone, such as the photos of predict, is left: a shell has replaced "~" there, and
    what still begins with one is the name of a file. Each has --version.

    Args:
        *arguments: Of argparse.
        plugins: Whether the command takes --plugin; the files are imported as they are parsed.
        **options: Of argparse.
    """

    def __init__(self, *arguments: Any, plugins: bool = False, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._imports = plugins
        if self.add_help:  # One without looks ahead for a single option.
            self.add_argument(
                "--version", action="version", version=VERSION_TEXT, help="print it and exit"
            )
        if plugins:
            self.add_argument(
                f"--{PLUGIN}",
                action="append",
                default=[],
                type=str,
                metavar="FILE.py",
                help=PLUGIN_HELP[0].lower() + PLUGIN_HELP[1:-1],
            )

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Return what argparse finds, paths expanded.

        Raises:
            SystemExit: With 1, after a line that says why, if a plugin cannot be imported.
        """
        self._refuse_empty(sys.argv[1:] if args is None else list(args))
        found, others = super().parse_known_args(args, namespace)
        for action in self._actions:
            if action.option_strings and hasattr(found, action.dest):
                setattr(found, action.dest, _expanded(getattr(found, action.dest)))
        if self._imports:
            _import(getattr(found, PLUGIN))
        return found, others

    def _refuse_empty(self, arguments: list[str]) -> None:
        for action in self._actions:
            if action.type is not Path and action.dest not in FOLDERS:
                continue
            for option in action.option_strings:
                pairs = itertools.pairwise(arguments)
                if f"{option}=" in arguments or (option, "") in pairs:
                    self.error(f"{option} must name a folder or file, it is empty")


def import_plugins(arguments: Sequence[str] | None) -> None:
    """Import the files that a command line names, before the names that it may hold are listed.

    Args:
        arguments: The command line; None: that of the program.

    Raises:
        SystemExit: As `Parser.parse_known_args`.
    """
    Parser(add_help=False, allow_abbrev=False, plugins=True).parse_known_args(arguments)


def plugin_options() -> list[str]:
    """Return what a command line needs to import what this process has imported."""
    return [f"--{PLUGIN}={plugin.path}" for plugin in plugins.loaded()]


def _import(paths: Sequence[str]) -> None:
    status = run_command(lambda: plugins.load_all(paths), "nothing was done")
    if status:
        sys.exit(status)


def expand_flags() -> None:
    """Replace "~" in the values of absl's parsed flags, those of a flag file included.

    Raises:
        ValueError: If a folder is an empty text, which would stand for the current one.
    """
    for name in flags.FLAGS:
        flag = flags.FLAGS[name]
        if name in FOLDERS and flag.value == "":
            raise ValueError(f"--{name} must name a folder, it is empty.")
        value = _expanded(flag.value)
        if value is not flag.value:
            flag.value = value


def _expanded(value: Any) -> Any:
    if not isinstance(value, (str, Path)) or not str(value).startswith("~"):
        return value
    return type(value)(expand_home(str(value)))


STOPPING = (signal.SIGINT, signal.SIGTERM)
AGAIN_SECONDS = 0.1
INPUT_ERRORS = (OSError, ValueError, ImportError, MemoryError)
"""What wrong input, a missing package, a full disk and too little memory raise."""


def run_command(
    command: Callable[[], int | None],
    stopped: str,
    *,
    errors: tuple[type[Exception], ...] = (),
) -> int:
    """Run a command and return its exit status; what ends it is told in one line.

    Ctrl-C ends it with 130 and SIGTERM, a scheduler's time limit, with 143, also where a library
    takes the interrupt for an error of its own and goes on or raises another one.

    Args:
        command: Returns an exit status, or None for 0.
        stopped: What holds after it was stopped, in the words of a message.
        errors: Further ones that its input provokes.

    Raises:
        Exception: Of the command, unless it is one of `INPUT_ERRORS` or of `errors`.
        SystemExit: Of the command, likewise.
    """
    received: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        received.append(number)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    before = _handled_by(stop)
    try:
        with _heard_everywhere(received):
            status = command() or 0
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            received.append(signal.SIGINT)
        elif not received:
            known = isinstance(error, (*INPUT_ERRORS, *errors))
            if not known and not _by_tensorflow(error) and not _links_in_a_circle(error):
                raise
            print(f"error: {_first_words(error)}", file=sys.stderr)
            return 1
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if not received:
        return status
    how = "Interrupted" if received[0] == signal.SIGINT else "Ended by SIGTERM"
    print(f"{how}; {stopped}.", file=sys.stderr)
    leave_with(128 + received[0])
    return 128 + received[0]


def _handled_by(stop: Callable[[int, FrameType | None], None]) -> dict[int, Any]:
    """Take over the signals that stop a command; return who handled them before."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    # A shell has a job in the background ignore Ctrl-C.
    heard = [each for each in STOPPING if signal.getsignal(each) is not signal.SIG_IGN]
    return {number: signal.signal(number, stop) for number in heard}


@contextlib.contextmanager
def _heard_everywhere(received: Sequence[int]) -> Iterator[None]:
    """Send a signal once more where Python ignored what its handler raised.

    So it does in what garbage collection calls, of which JAX has one: Ctrl-C there would be lost.

    Args:
        received: The signals that were handled so far.
    """
    before = sys.unraisablehook

    def hook(ignored: Any) -> None:
        if not (received and issubclass(ignored.exc_type, (KeyboardInterrupt, SystemExit))):
            before(ignored)
            return
        # Not at once, for Python would ignore it again.
        again = threading.Timer(AGAIN_SECONDS, os.kill, (os.getpid(), received[-1]))
        again.daemon = True
        again.start()

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


def _by_tensorflow(error: BaseException) -> str | None:
    """Return what an error of TensorFlow that is none of a program means, in words."""
    # By name: a command without TensorFlow need not import it.
    kind, text = type(error).__name__, str(error)
    if kind == "DataLossError":
        return "the records of a built data set are damaged, build it again"
    if kind == "ResourceExhaustedError":  # A full disk is one, too.
        return "the disk is full" if "No space left" in text else "not enough memory"
    return None


def _links_in_a_circle(error: BaseException) -> bool:
    # What Path.resolve raises up to Python 3.12; afterwards it is an OSError.
    return isinstance(error, RuntimeError) and str(error).startswith("Symlink loop from ")


def _first_words(error: BaseException) -> str:
    meaning = _by_tensorflow(error)
    if meaning is not None:
        return f"{meaning}: {str(error).splitlines()[0]}"
    if isinstance(error, MemoryError):
        return f"not enough memory ({str(error) or type(error).__name__})"
    return str(error) or type(error).__name__
