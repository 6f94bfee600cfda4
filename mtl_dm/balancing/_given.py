"""Numbers that a user gives by name of a loss term."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any


def numbers_by_name(
    what: str, given: Mapping[str, Any], *, positive: bool = False
) -> dict[str, float]:
    """Return the numbers as float.

    Args:
        what: They are, in the words of a message, "static weight".
        given: By name of the term.
        positive: Whether 0 is too small.

    Raises:
        ValueError: If one is not finite or too small; names it.
    """
    for term, value in given.items():
        right = isinstance(value, numbers.Real) and 0 <= float(value) < math.inf
        if not right or (positive and value == 0):
            rule = "> 0" if positive else ">= 0"
            raise ValueError(
                f"The {what} of {term!r} must be a finite number {rule}, got {value!r}."
            )
    return {term: float(value) for term, value in given.items()}


def require_terms(what: str, given: Mapping[str, float], names: Sequence[str]) -> None:
    """Check that every number is that of a term.

    Raises:
        ValueError: If one is not; the message lists the terms.
    """
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise ValueError(f"The {what}s name {unknown}, but the terms are {list(names)}.")
