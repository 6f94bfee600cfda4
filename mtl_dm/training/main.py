"""Starting a command: errors of the user's input end it with one line, not a stack trace."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from absl import app

from mtl_dm.command_line import VERSION_TEXT, expand_flags, run_command


def start(
    command: Callable[[], None],
    define_flags: Callable[[], None],
    stopped: str = "nothing was written",
) -> None:
    """Parse flags and run a command; exit with 1 and a message where its input is wrong.

    Or where a package is missing that not every installation has.

    Args:
        command: Reads the parsed flags.
        define_flags: Called before parsing.
        stopped: What holds after it was stopped.

    Raises:
        SystemExit: At the end, with 1 where the input is wrong, as `run_command` where it was
            stopped; with 0 after --version.
    """

    def parsed(argv: Sequence[str]) -> None:
        if len(argv) > 1:
            raise ValueError(f"Unknown arguments {list(argv[1:])}; see --helpfull.")
        expand_flags()
        command()

    def guarded(argv: Sequence[str]) -> None:
        status = run_command(lambda: parsed(argv), stopped)
        if status:
            sys.exit(status)

    if "--version" in sys.argv[1:]:  # As a flag it would ask for those that are required.
        print(VERSION_TEXT)
        sys.exit()
    define_flags()
    app.run(guarded)
