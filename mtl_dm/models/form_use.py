"""How a coupling uses its loss forms: by what factor, judged, gated, by which rule.

The printed forms are left as they are unless one asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mtl_dm.losses.weighting import BASE_FACTORS

PRINTED = "/paper"
"""End of the name of a form as the paper prints it."""

OLDER: Mapping[str, Any] = {"trust": False, "gate": False, "rule": "first"}
"""What couplings did before they had these fields. It leaves no trace in what is written, so that
an older file is read as it was meant and compares equal."""


class FormUse(NamedTuple):
    """One form of a coupling.

    Attributes:
        form: Name in `mtl_dm.losses.COUPLING_FORMS`.
        factor: On its term; None leaves it to the form's rule, 1 where it has none; 0 is off.
        options: Of the form.
    """

    form: str
    factor: float | None
    options: Mapping[str, float]


def protects(uses: Sequence[FormUse], asked: bool | None) -> bool:
    """Return whether a coupling is judged, or gated: as asked, else unless a form is printed.

    Args:
        uses: Its forms; those that are off do not count.
        asked: `trust` or `gate` of the coupling.
    """
    active = [use.form for use in uses if use.factor != 0]
    if not active or asked is not None:
        return bool(active and asked)
    return not any(form.endswith(PRINTED) for form in active)


def by_rule(uses: Sequence[FormUse]) -> bool:
    """Return whether a rule gives a factor of a coupling.

    Args:
        uses: Its forms.
    """
    return any(use.factor is None and use.form.rpartition("/")[2] in BASE_FACTORS for use in uses)


def check_asked(what: str, asked: Any) -> None:
    """Check that `trust` or `gate` is one of the three that it may be.

    Raises:
        ValueError: If it is not.
    """
    if asked is not None and not isinstance(asked, bool):
        raise ValueError(f"Coupling {what} must be None, True or False, got {asked!r}.")


def without_older(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a coupling without those that say what was before there were any."""
    # None is not False: it is on by default.
    return {name: each for name, each in values.items() if OLDER.get(name, _NONE) != each}


_NONE = object()
