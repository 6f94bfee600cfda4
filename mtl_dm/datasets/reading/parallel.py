"""Work on a stream in threads, results in the stream's order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 64


def ordered_map(
    function: Callable[[T], R], items: Iterable[T], workers: int | None = None
) -> Iterator[R]:
    """Yield `function(item)` in the order of the items; at most `AHEAD` are in memory.

    Args:
        function: Called in threads; worth it where it reads files or decodes images.
        items: Any stream.
        workers: Number of threads; None: one a core, at most 8.
    """
    workers = workers or min(os.cpu_count() or 1, 8)
    pending: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) >= AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
