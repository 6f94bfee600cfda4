"""Which rows a row is compared with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Baselines(NamedTuple):
    """The rows that a row is compared with.

    Attributes:
        single_task: Δm, negative transfer and the plot of changes are measured against it.
        uncoupled: The row without what this one adds; the sentence at the top compares with it.
        others: Compared with as well.
    """

    single_task: str | None = None
    uncoupled: str | None = None
    others: tuple[str, ...] = ()

    @property
    def nearest(self) -> str | None:
        """The row that shows what this one adds."""
        return self.uncoupled or self.single_task

    @property
    def all(self) -> tuple[str, ...]:
        """Every row to compare with, each once."""
        named = (self.single_task, self.uncoupled, *self.others)
        return tuple(dict.fromkeys(name for name in named if name is not None))

    def within(self, rows: Iterable[str]) -> Baselines:
        """Return those that are among `rows`."""
        known = set(rows)
        return Baselines(
            self.single_task if self.single_task in known else None,
            self.uncoupled if self.uncoupled in known else None,
            tuple(name for name in self.others if name in known),
        )
