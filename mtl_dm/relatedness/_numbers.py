"""What relations that are names and numbers share: checks, their description, equality by it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from mtl_dm.files import expand_home, write_atomically


class Numbers:
    """Base of relations: dataclasses of names, arrays, text and None."""

    def to_dict(self) -> dict[str, Any]:
        """Return the relation as values that JSON can hold."""
        return plain(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the relation that `to_dict` described."""
        return cls(**values)

    def to_json(self, path: str | Path) -> None:
        """Write the relation to a file.

        Raises:
            OSError: If it cannot be written.
        """
        said = {"kind": getattr(self, "kind", ""), **self.to_dict()}
        write_atomically(expand_home(str(path)), json.dumps(said, indent=1))

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and plain(self) == plain(other)

    def __hash__(self) -> int:
        return hash(repr(plain(self)))


def checked_names(relation: Any, field: str) -> int:
    """Check a field of names, make it a tuple, and return their number.

    Raises:
        ValueError: If it is no list of names, or one repeats.
    """
    names = getattr(relation, field)
    listed = isinstance(names, Sequence) and not isinstance(names, str)
    if not listed or not names or not all(isinstance(name, str) for name in names):
        raise ValueError(
            f"{type(relation).__name__} {field} must be a list of names, got {names!r}."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"{type(relation).__name__} {field} must be unique, got {list(names)}.")
    object.__setattr__(relation, field, tuple(names))
    return len(names)


def checked_numbers(relation: Any, field: str, shape: tuple[int, ...]) -> None:
    """Check a field of numbers and make it a read-only float32 array.

    Raises:
        ValueError: If its shape is another one or a number is not finite.
    """
    try:
        array = np.array(getattr(relation, field), dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{type(relation).__name__} {field} must hold numbers: {error}.") from None
    if array.shape != shape or not np.isfinite(array).all():
        bad = "" if np.isfinite(array).all() else " with values that are not finite"
        raise ValueError(
            f"{type(relation).__name__} {field} must be finite numbers of shape {shape}, got shape "
            f"{array.shape}{bad}."
        )
    array.setflags(write=False)
    object.__setattr__(relation, field, array)


def plain(relation: Any) -> dict[str, Any]:
    """Return the fields of a relation as values that JSON can hold; None is left out."""
    values = {field.name: getattr(relation, field.name) for field in dataclasses.fields(relation)}
    return {
        name: value.tolist()
        if isinstance(value, np.ndarray)
        else list(value)
        if isinstance(value, tuple)
        else value
        for name, value in values.items()
        if value is not None
    }
