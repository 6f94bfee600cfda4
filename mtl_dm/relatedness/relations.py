"""Relations of other kinds than class -> attribute, and all kinds by name.

A relation says how the labels of a source task bear on those of a target task. Each kind has the
class attributes `kind` and `sides` (name and kind of task of source and target), the names of the
labels it covers in the fields that `sides` names, and round-trips through `to_dict` / `from_dict`.
Another kind is a class with these and an entry in `RELATIONS`.

Shapes: K classes, M attributes, R values.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from mtl_dm.registry import Registry
from mtl_dm.relatedness._relatedness import Relatedness

Sides = tuple[tuple[str, str], tuple[str, str]]
RELATIONS: Registry[Any] = Registry("kind of relation")


class _Numbers:
    """What relations that are names and numbers share: their description, and by it equality."""

    def to_dict(self) -> dict[str, Any]:
        """Return the relation as values that JSON can hold."""
        return _plain(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the relation that `to_dict` described."""
        return cls(**values)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and _plain(self) == _plain(other)

    def __hash__(self) -> int:
        return hash(repr(_plain(self)))


@dataclasses.dataclass(frozen=True, eq=False)
class Moments(_Numbers):
    """Mean and covariance of a regression target given the class.

    Attributes:
        classes: K class names.
        values: R names of the target's values.
        mean: [K, R], in the units of the target.
        covariance: [K, R, R], symmetric and positive semi-definite.
        citation: Where the numbers come from.

    Raises:
        ValueError: If names repeat, a shape does not fit, or a covariance is none.
    """

    kind: ClassVar[str] = "moments"
    sides: ClassVar[Sides] = (("classes", "multiclass"), ("values", "regression"))

    classes: tuple[str, ...]
    values: tuple[str, ...]
    mean: np.ndarray
    covariance: np.ndarray
    citation: str

    def __post_init__(self) -> None:
        sizes = _names(self, "classes"), _names(self, "values")
        _finite(self, "mean", sizes)
        _finite(self, "covariance", (*sizes, sizes[1]))
        gap = np.abs(self.covariance - np.swapaxes(self.covariance, 1, 2)).max()
        least = np.linalg.eigvalsh(self.covariance.astype(np.float64)).min()
        size = max(float(np.abs(self.covariance).max()), 1.0)
        if gap > 1e-5 * size or least < -1e-5 * size:
            raise ValueError(
                "Moments covariance must be symmetric and positive semi-definite for every class; "
                f"it differs from its transpose by {gap:.2g}, its least eigenvalue is {least:.2g}."
            )


@dataclasses.dataclass(frozen=True, eq=False)
class Linear(_Numbers):
    """A regression target as a linear function of attributes: E[y] = b + a W.

    Attributes:
        attributes: M attribute names.
        values: R names of the target's values.
        coefficients: W, [M, R], units of the target per attribute.
        intercept: b, [R].
        citation: Where the numbers come from.

    Raises:
        ValueError: If names repeat, a shape does not fit, or a number is not finite.
    """

    kind: ClassVar[str] = "linear"
    sides: ClassVar[Sides] = (("attributes", "multilabel"), ("values", "regression"))

    attributes: tuple[str, ...]
    values: tuple[str, ...]
    coefficients: np.ndarray
    intercept: np.ndarray
    citation: str

    def __post_init__(self) -> None:
        sizes = _names(self, "attributes"), _names(self, "values")
        _finite(self, "coefficients", sizes)
        _finite(self, "intercept", sizes[1:])


RELATIONS.register("probabilities")(Relatedness)
RELATIONS.register("moments")(Moments)
RELATIONS.register("linear")(Linear)


def _names(relation: Any, field: str) -> int:
    """Check a field of names, make it a tuple, and return their number."""
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


def _finite(relation: Any, field: str, shape: tuple[int, ...]) -> None:
    """Check a field of numbers and make it a read-only float32 array."""
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


def _plain(relation: Any) -> dict[str, Any]:
    values = {field.name: getattr(relation, field.name) for field in dataclasses.fields(relation)}
    return {
        name: value.tolist()
        if isinstance(value, np.ndarray)
        else list(value)
        if isinstance(value, tuple)
        else value
        for name, value in values.items()
    }
