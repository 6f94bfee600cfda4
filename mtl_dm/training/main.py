"""Starting a command: errors of the user's input end it with one line, not a stack trace."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from logging import INFO, LogRecord

from absl import app, flags, logging

from mtl_dm import plugins
from mtl_dm.command_line import (
    PLUGIN,
    VERSION_TEXT,
    expand_flags,
    import_plugins,
    run_command,
)


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
        if PLUGIN in flags.FLAGS:  # Also as -plugin, which absl alone understands.
            plugins.load_all(flags.FLAGS[PLUGIN].value or ())
        # What else is at the level of absl's "info" is ours.
        logging.get_absl_logger().addFilter(_no_chatter)
        command()

    def guarded(argv: Sequence[str]) -> None:
        status = run_command(lambda: parsed(argv), stopped)
        if status:
            sys.exit(status)

    if "--version" in sys.argv[1:]:  # As a flag it would ask for those that are required.
        print(VERSION_TEXT)
        sys.exit()
    # Before flags are defined: their help lists what is registered.
    import_plugins(_with_flag_files(sys.argv[1:]))
    define_flags()
    app.run(guarded)


def _no_chatter(record: LogRecord) -> bool:
    """Return whether a line is no news of TFDS about its own steps, many for each data set."""
    return record.levelno > INFO or "tensorflow_datasets" not in record.pathname


def _with_flag_files(arguments: Sequence[str]) -> list[str]:
    """Return a command line with what its flag files hold in their place."""
    try:
        return list(flags.FLAGS.read_flags_from_files(arguments))
    except flags.Error:  # Which absl says itself as it parses.
        return list(arguments)
