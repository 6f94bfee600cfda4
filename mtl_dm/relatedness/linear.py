"""Real values as a linear function of attributes.

Shapes: N images, M attributes, R values.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from mtl_dm.relatedness._numbers import Numbers, checked_names, checked_numbers
from mtl_dm.relatedness.value_labels import attribute_table, value_table


@dataclasses.dataclass(frozen=True, eq=False)
class Linear(Numbers):
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
    sides: ClassVar[tuple[tuple[str, str], tuple[str, str]]] = (
        ("attributes", "multilabel"),
        ("values", "regression"),
    )

    attributes: tuple[str, ...]
    values: tuple[str, ...]
    coefficients: np.ndarray
    intercept: np.ndarray
    citation: str

    def __post_init__(self) -> None:
        sizes = checked_names(self, "attributes"), checked_names(self, "values")
        checked_numbers(self, "coefficients", sizes)
        checked_numbers(self, "intercept", sizes[1:])


def linear_from_annotations(
    attribute_labels: Any,
    value_labels: Any,
    *,
    attributes: Sequence[str],
    values: Sequence[str],
    ridge: float = 1.0,
) -> Linear:
    """Return the linear function that annotated images give: ridge regression.

    Source: Hoerl, Kennard 1970. Over the images with every attribute and every value annotated,
    centred, W = (A'A + ridge I)^-1 A'Y, b = mean y - mean a W: an attribute that hardly any image
    has gets a small coefficient, and one that none, or every one, has gets 0.

    Args:
        attribute_labels: [N, M], 1 active, 0 not; negative or NaN where it is missing.
        value_labels: [N, R], NaN where it is missing.
        attributes: M attribute names.
        values: R names.
        ridge: > 0, in images.

    Raises:
        ValueError: If a shape does not fit, a label breaks its rule, `ridge` is not positive, or
            fewer than two images have all labels.
    """
    if not ridge > 0:
        raise ValueError(f"ridge must be > 0, got {ridge}.")
    a = attribute_table(attribute_labels, attributes)
    y = value_table(value_labels, values, len(a))
    rows = ~np.isnan(a).any(axis=1) & ~np.isnan(y).any(axis=1)
    if rows.sum() < 2:
        raise ValueError(
            f"A linear relation needs two images with all of {list(attributes)} and "
            f"{list(values)} annotated, got {rows.sum()} of {len(a)}."
        )
    a, y = a[rows], y[rows]
    off_a, off_y = a - a.mean(axis=0), y - y.mean(axis=0)
    gram = off_a.T @ off_a + ridge * np.eye(a.shape[1])
    coefficients = np.linalg.solve(gram, off_a.T @ off_y)
    return Linear(
        tuple(attributes),
        tuple(values),
        coefficients,
        y.mean(axis=0) - a.mean(axis=0) @ coefficients,
        f"Ridge regression on {len(a)} annotated images.",
    )
