"""Work done ahead of whoever takes its results, in threads, in order."""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_ahead(
    work: Callable[[Item], Result], items: Iterable[Item], threads: int, ahead: int
) -> Iterator[Result]:
    """Yield the result of each item, in the order of the items.

    While the caller is busy with one result, the threads go on with the next ones. Items are
    taken in the caller's thread. What was not begun is dropped where the caller ends early.

    Args:
        work: Takes an item; called in several threads at a time.
        items: Taken one by one, `ahead` of them before the first result is due.
        threads: How many.
        ahead: Items whose results may wait, so that memory does not grow with their number.

    Raises:
        ValueError: If there is no thread, or no item may wait.
        Exception: What `work` raises, where its result is due.
    """
    if threads < 1 or ahead < 1:
        raise ValueError(f"threads and ahead must be at least 1, not {threads} and {ahead}.")
    waiting: collections.deque[Future[Result]] = collections.deque()
    with contextlib.ExitStack() as stack:
        pool = ThreadPoolExecutor(threads)
        stack.callback(pool.shutdown, wait=True, cancel_futures=True)
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
