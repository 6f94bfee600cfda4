"""Two functions timed in turn, and what their ratio should be."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from scipy import stats

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

    def fields(self, ratio: float, interval: tuple[float, float] | None = None) -> Row:
        """Return the columns "goal" and "met" of a row.

        Args:
            ratio: As measured.
            interval: Of the ratio; the goal is met where all of it keeps the bound. None: the
                ratio alone is judged.
        """
        low, high = interval or (ratio, ratio)
        met = low >= self.bound if self.at_least else high <= self.bound
        sign = ">=" if self.at_least else "<="
        return {"goal": f"{sign} {self.bound:g}", "met": "met" if met else "missed"}


def median_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Return the interval of order statistics that holds the median with at least `level`.

    Source: the binomial argument, free of any distribution (David, Nagaraja 2003, section 7.1):
    the k-th smallest of n values exceeds the median with probability P(Binomial(n, 1/2) < k).
    Fewer than six values have no such interval of 95%: their range is returned.

    Args:
        values: Independent measurements.
        level: Confidence.
    """
    ordered = sorted(values)
    count = len(ordered)
    # Values that may be left out at each end.
    spare = max(int(stats.binom.ppf((1.0 - level) / 2.0, count, 0.5)) - 1, 0)
    return ordered[spare], ordered[count - 1 - spare]


def pair(
    name: str,
    one: Callable[[], object],
    other: Callable[[], object],
    repeats: int,
    goal: Goal | None = None,
    before: Callable[[int], object] | None = None,
) -> Row:
    """Return the median ratio of two functions timed in turn, with its 95% interval.

    Args:
        name: What the ratio is of.
        one: The numerator.
        other: The denominator.
        repeats: Pairs.
        goal: Bound on the ratio's interval, if there is one.
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
    # The two of a pair share what the machine did at that moment.
    ratios = [first / second for first, second in zip(*times, strict=True)]
    ratio, interval = statistics.median(ratios), median_interval(ratios)
    return {
        "name": name,
        "ratio": ratio,
        "low": interval[0],
        "high": interval[1],
        **({} if goal is None else goal.fields(ratio, interval)),
        "pairs": repeats,
        "seconds": statistics.median(times[0]),
        "seconds_of_other": statistics.median(times[1]),
    }
