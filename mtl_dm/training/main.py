"""Starting a command: errors of the user's input end it with one line, not a stack trace."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from absl import app

from mtl_dm.command_line import expand_flags


def start(command: Callable[[], None], define_flags: Callable[[], None]) -> None:
    """Parse flags and run a command; exit with 1 and a message where its input is wrong.

    Or where a package is missing that not every installation has.

    Args:
        command: Reads the parsed flags.
        define_flags: Called before parsing.

    Raises:
        SystemExit: At the end, with 1 where the input is wrong.
    """

    def guarded(argv: Sequence[str]) -> None:
        try:
            if len(argv) > 1:
                raise ValueError(f"Unknown arguments {list(argv[1:])}; see --helpfull.")
            expand_flags()
            command()
        except (ValueError, OSError, ImportError) as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(1)

    define_flags()
    app.run(guarded)
