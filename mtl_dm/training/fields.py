"""A field of a configuration that is an option of the command line too: default and explanation."""

from __future__ import annotations

import dataclasses
from typing import Any

REQUIRED = dataclasses.MISSING


def option(
    default: Any,
    help: str,
    *,
    least: float | None = None,
    registry: Any = None,
    repeated: str | None = None,
    old: str | None = None,
    pairs: str = "",
) -> Any:
    """Return a dataclass field with all that a flag of its name needs.

    Args:
        default: Value of the field, a function that makes it, or `REQUIRED`.
        help: For `--helpfull`.
        least: Lowest value of a number.
        registry: The field is a specification ("NAME(option=value)") of one of its entries; a
            `Registry` or what can do the same.
        repeated: Name of a flag that may be given many times, each time one item of the field.
        old: A name that the flag had before.
        pairs: For a mapping, how an item is written, "task=weight".
    """
    metadata = {
        "help": help,
        "least": least,
        "registry": registry,
        "repeated": repeated,
        "old": old,
        "pairs": pairs,
    }
    if default is REQUIRED:
        return dataclasses.field(metadata=metadata)
    if callable(default):
        return dataclasses.field(default_factory=default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)
