"""How far a command has come and how long it will take: a bar on a terminal, lines in a file."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

FIRST_SECONDS, BETWEEN_SECONDS = 5.0, 30.0
"""When the first line is written where nobody watches a bar, and how far apart the others are."""

Item = TypeVar("Item")


def spoken(seconds: float) -> str:
    """Return a duration in words, "40 s", "12 min", "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


class Lines:
    """Says in lines how far something has come, seldom.

    Args:
        what: Put before the numbers.
        total: Of what is counted; None: not known.
        before: Of these, done by an earlier start.
        say: Writes a line.
        clock: Tells the time in seconds.
    """

    def __init__(
        self,
        what: str,
        total: int | None,
        before: int = 0,
        say: Callable[[str], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what, self._total, self._before, self._count = what, total, before, before
        self._say = say or (lambda line: print(line, file=sys.stderr, flush=True))
        self._clock, self._started = clock, clock()
        self._due = self._started + FIRST_SECONDS

    def update(self, count: int = 1) -> None:
        """Count some more; say so if it is time to."""
        self._count += count
        now = self._clock()
        if now < self._due:
            return
        self._due = now + BETWEEN_SECONDS
        done = self._count - self._before
        # A total may be a published number, and less than there is.
        if self._total is None or not done or self._count > self._total:
            self._say(f"{self._what}: {self._count:,}, {spoken(now - self._started)} so far")
        elif self._count < self._total:
            left = (now - self._started) / done * (self._total - self._count)
            count = f"{self._count:,} of {self._total:,}"
            self._say(f"{self._what}: {count}, about {spoken(left)} left")


@contextlib.contextmanager
def progress(what: str, total: int | None, before: int = 0) -> Iterator[Callable[[int], object]]:
    """Show how far something comes inside the block.

    Args:
        what: Is counted, "images measured".
        total: How many there are; None: not known.
        before: Of these, done by an earlier start.

    Yields:
        What takes a number of further ones.
    """
    if not sys.stderr.isatty():
        yield Lines(what, total, before).update
        return
    with tqdm(total=total, initial=before, desc=what) as bar:
        yield bar.update


def counted(items: Iterable[Item], what: str, total: int | None, before: int = 0) -> Iterator[Item]:
    """Yield items and show how far they have come; as `progress`."""
    with progress(what, total, before) as done:
        for item in items:
            yield item
            done(1)
