"""From the ids and numbers of a release to the canonical order of a task."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

MISSING = -1
"""Integer label of what is not annotated."""


@dataclasses.dataclass(frozen=True)
class ClassMap:
    """How a release writes the classes of a task.

    Attributes:
        task: Name of the task, for messages.
        order: The classes in canonical order.
        names: What the release writes -> the class; None where it is none of the task's.
        outside: What the release writes -> what that means, for entries that are None.

    Raises:
        ValueError: If a class is not in `order`, or an entry that is None is not explained.
    """

    task: str
    order: tuple[str, ...]
    names: Mapping[str, str | None]
    outside: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = sorted({name for name in self.names.values() if name} - set(self.order))
        if unknown:
            raise ValueError(f"{self.task}: {unknown} are not among {list(self.order)}.")
        silent = [key for key, name in self.names.items() if not name and key not in self.outside]
        if silent:
            raise ValueError(f"{self.task}: say in `outside` what {silent} mean.")

    def index(self, text: str) -> int | None:
        """Return the class id in canonical order, or None where the text means no class.

        Raises:
            ValueError: If the release knows no such id.
        """
        if text not in self.names:
            raise ValueError(f"{self.task} is {text!r}; expected one of {', '.join(self.names)}")
        name = self.names[text]
        return None if name is None else self.order.index(name)

    def reason(self, text: str) -> str:
        """Return why a row whose text means no class is skipped."""
        return f"{self.task} is {text} ({self.outside[text]}), outside the {len(self.order)}"

    def table(self) -> str:
        """Return the mapping as a Markdown table, for the data set's README."""
        lines = [f"| release | {self.task} | id |", "|---|---|---:|"]
        for text, name in self.names.items():
            place = "skipped" if name is None else str(self.order.index(name))
            lines.append(f"| `{text}` | {name or self.outside[text]} | {place} |")
        return "\n".join(lines)


def integer(what: str, text: str, low: int, high: int) -> int:
    """Return a whole number.

    Raises:
        ValueError: If it is none, or outside [low, high].
    """
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise ValueError(f"{what} is {text!r}; expected a whole number from {low} to {high}")
    return value


def number(
    what: str,
    text: str,
    low: float = -math.inf,
    high: float = math.inf,
    missing: Sequence[float] = (),
) -> float:
    """Return a real number, NaN where it is one of `missing`.

    Raises:
        ValueError: If it is no finite number, or outside [low, high].
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if value in missing:
        return math.nan
    if not (math.isfinite(value) and low <= value <= high):
        bounds = f" from {low:g} to {high:g}" if math.isfinite(low) or math.isfinite(high) else ""
        raise ValueError(f"{what} is {text!r}; expected a number{bounds}")
    return value


def flag(what: str, text: str, values: Mapping[str, int]) -> int:
    """Return 1 active, 0 not active or -1 missing.

    Args:
        what: The attribute, for messages.
        text: What the release writes.
        values: What the release may write -> 1, 0 or -1.

    Raises:
        ValueError: If the text is not among `values`.
    """
    if text not in values:
        expected = ", ".join(value or "(empty)" for value in values)
        raise ValueError(f"{what} is {text!r}; expected one of {expected}")
    return values[text]


def in_order(values: Mapping[str, int], order: Sequence[str]) -> np.ndarray:
    """Return int8 [len(order)]: the values by name, -1 where there is none."""
    return np.array([values.get(name, MISSING) for name in order], dtype=np.int8)
