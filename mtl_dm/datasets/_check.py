"""What a look at a raw database found, and the registry of such looks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from mtl_dm.registry import Registry


@dataclasses.dataclass(frozen=True)
class Report:
    """What a check of a raw database found.

    Attributes:
        errors: Reasons why the data set cannot be built from this folder.
        warnings: What is unusual but does not stop a build.
        facts: What is there.
    """

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether the data set can be built."""
        return not self.errors


Checker = Callable[[Path], Report]
"""Looks at a raw database's folder; changes nothing and raises nothing for bad data."""

CHECKERS: Registry[Checker] = Registry("data set with a check")
"""The checks, under the names of their builders."""


def count_warnings(what: str, found: int, published: int) -> tuple[str, ...]:
    """Return a warning with both numbers where a count is not the published one, else nothing."""
    if found == published:
        return ()
    return (f"{found:,} {what} where {published:,} were published.",)
