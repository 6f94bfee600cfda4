"""Two functions timed in turn, and what their ratio should be."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Goal:
    """A bound on a ratio.

    Attributes:
        bound: The ratio that just meets it.
        at_least: Whether larger is better.
    """

    bound: float
    at_least: bool = False

    def fields(self, ratio: float) -> Row:
        """Return the columns "goal" and "met" of a row with this ratio."""
        met = ratio >= self.bound if self.at_least else ratio <= self.bound
        sign = ">=" if self.at_least else "<="
        return {"goal": f"{sign} {self.bound:g}", "met": "met" if met else "missed"}


def pair(
    name: str,
    one: Callable[[], object],
    other: Callable[[], object],
    repeats: int,
    goal: Goal | None = None,
    before: Callable[[int], object] | None = None,
) -> Row:
    """Return the medians of two functions timed in turn, and their ratio.

    Args:
        name: What the ratio is of.
        one: The numerator.
        other: The denominator.
        repeats: Pairs.
        goal: Bound on the ratio, if there is one.
        before: Called before every timing, untimed, with 0 if `one` comes next, else 1.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for repeat in range(repeats):
        # The order alternates: the second of a pair finds warmer caches.
        for index in (0, 1) if repeat % 2 else (1, 0):
            if before is not None:
                before(index)
            started = time.perf_counter()
            (one, other)[index]()
            times[index].append(time.perf_counter() - started)
    medians = [statistics.median(each) for each in times]
    ratio = medians[0] / medians[1]
    return {
        "name": name,
        "ratio": ratio,
        **({} if goal is None else goal.fields(ratio)),
        "pairs": repeats,
        "seconds": medians[0],
        "seconds_of_other": medians[1],
    }
