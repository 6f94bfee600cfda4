"""Commands start without TensorFlow's chatter, which hides what they have to say."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
"""TensorFlow's variable; at 3 it says errors alone, but for what it prints before it reads it."""
ERRORS = "3"


def is_command() -> bool:
    """Return whether `python -m mtl_dm.NAME`, or another command of a package, imports this one.

    Python calls the program "-m" while it looks for the module, in packages that it imports.
    """
    return sys.argv[:1] == ["-m"]


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Keep what is written to the standard error aside, where only errors are wanted.

    That is in a command, and under TF_CPP_MIN_LOG_LEVEL=3. What was kept is written after all if
    there is an exception.

    Raises:
        BaseException: What is raised inside.
    """
    if is_command():
        os.environ.setdefault(LEVEL, ERRORS)
    if os.environ.get(LEVEL) != ERRORS:
        yield
        return
    try:
        shown = os.dup(2)
    except OSError:  # There is no standard error.
        yield
        return
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(shown, kept.read())
            raise
        finally:
            os.dup2(shown, 2)
            os.close(shown)
