"""Compound expressions: mixtures of two basic ones, and which two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

COMPONENTS: Mapping[str, tuple[str, str]] = {
    "happily sad": ("happiness", "sadness"),
    "happily surprised": ("happiness", "surprise"),
    "happily disgusted": ("happiness", "disgust"),
    "happily fearful": ("happiness", "fear"),
    "sadly fearful": ("sadness", "fear"),
    "sadly angry": ("sadness", "anger"),
    "sadly surprised": ("sadness", "surprise"),
    "sadly disgusted": ("sadness", "disgust"),
    "fearfully angry": ("fear", "anger"),
    "fearfully surprised": ("fear", "surprise"),
    "fearfully disgusted": ("fear", "disgust"),
    "angrily surprised": ("anger", "surprise"),
    "angrily disgusted": ("anger", "disgust"),
    "disgustedly surprised": ("disgust", "surprise"),
}
"""The two basic expressions that a compound's name says."""

NAMED_OTHERWISE = ("awed", "appalled", "hatred")
"""Compounds whose names say no components: for three words of the language, each of which shares
its two with another compound, no source that was at hand lists them."""

COMPOUND_EXPRESSIONS = (*COMPONENTS, *NAMED_OTHERWISE)
"""All of them, in one order."""


def components_of(compound: str) -> tuple[str, str]:
    """Return the two basic expressions of a compound.

    Raises:
        ValueError: If its name says none; the message lists those that do.
    """
    if compound not in COMPONENTS:
        raise ValueError(
            f"The compound expression {compound!r} has no components by its name. Known: "
            f"{', '.join(COMPONENTS)}."
        )
    return COMPONENTS[compound]


def named_in(table: Mapping[str, Mapping[str, float]]) -> tuple[str, ...]:
    """Return the compounds that a table has, in the order of `COMPOUND_EXPRESSIONS`."""
    return tuple(name for name in COMPOUND_EXPRESSIONS if name in table)


def units_in(table: Mapping[str, Mapping[str, float]], units: Sequence[str]) -> tuple[str, ...]:
    """Return those of some action units that a table names: of others it says nothing."""
    named = {unit for row in table.values() for unit in row}
    return tuple(unit for unit in units if unit in named)
