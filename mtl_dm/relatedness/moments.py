"""Real values given the class: mean and covariance of each class.

Shapes: K classes, R values.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from mtl_dm.relatedness._numbers import Numbers, checked_names, checked_numbers
from mtl_dm.relatedness._relatedness import NothingSharedError

_RELATIVE = 1e-6
"""Least eigenvalue of a covariance relative to its largest, as far as float32 tells it from 0."""


@dataclasses.dataclass(frozen=True, eq=False)
class Moments(Numbers):
    """Mean and covariance of a regression target given the class.

    Attributes:
        classes: K class names.
        values: R names of the target's values.
        mean: [K, R], in the units of the target.
        covariance: [K, R, R], symmetric and positive definite.
        citation: Where the numbers come from.
        prior: [K], p(class), summing to 1; None stands for uniform.

    Raises:
        ValueError: If names repeat, a shape does not fit, a covariance is none (its class is
            named), or the prior does not sum to 1.
    """

    kind: ClassVar[str] = "moments"
    sides: ClassVar[tuple[tuple[str, str], tuple[str, str]]] = (
        ("classes", "multiclass"),
        ("values", "regression"),
    )

    classes: tuple[str, ...]
    values: tuple[str, ...]
    mean: np.ndarray
    covariance: np.ndarray
    citation: str
    prior: np.ndarray | None = None

    def __post_init__(self) -> None:
        sizes = checked_names(self, "classes"), checked_names(self, "values")
        checked_numbers(self, "mean", sizes)
        checked_numbers(self, "covariance", (*sizes, sizes[1]))
        for name, covariance in zip(self.classes, self.covariance.astype(np.float64), strict=True):
            gap = np.abs(covariance - covariance.T).max()
            least, size = np.linalg.eigvalsh(covariance).min(), np.abs(covariance).max()
            if gap > 1e-5 * size or not least > _RELATIVE * size:
                raise ValueError(
                    "Moments covariance must be symmetric and positive definite for every class; "
                    f"that of {name!r} differs from its transpose by {gap:.2g}, its least "
                    f"eigenvalue is {least:.2g} beside entries up to {size:.2g}."
                )
        if self.prior is not None:
            checked_numbers(self, "prior", sizes[:1])
            if self.prior.min() < 0 or not np.isclose(self.prior.sum(), 1.0, atol=1e-4):
                raise ValueError(
                    f"Moments prior must be >= 0 and sum to 1, got {self.prior.tolist()}."
                )

    @property
    def whitening(self) -> np.ndarray:
        """Return W, [K, R, R] float32, with W_k Sigma_k W_k' = I."""
        return whitening(self.covariance)

    def within(self, classes: Sequence[str], values: Sequence[str]) -> Moments:
        """Return the part that concerns the labels of two tasks, which may have others too.

        Args:
            classes: Of the multiclass task.
            values: Of the regression task.

        Raises:
            NothingSharedError: If fewer than two classes, or no value, are left.
        """
        there = frozenset(classes)
        rows = [k for k, name in enumerate(self.classes) if name in there]
        columns = [r for r, name in enumerate(self.values) if name in values]
        if len(rows) < 2 or not columns:
            raise NothingSharedError(
                f"Moments of {list(self.classes)} and {list(self.values)} share {len(rows)} "
                f"class(es) with {list(classes)} and {len(columns)} value(s) with {list(values)}; "
                "two classes and a value are needed."
            )
        prior = None if self.prior is None else self.prior[rows] / self.prior[rows].sum()
        return Moments(
            tuple(self.classes[k] for k in rows),
            tuple(self.values[r] for r in columns),
            self.mean[np.ix_(rows, columns)],
            self.covariance[np.ix_(rows, columns, columns)],
            self.citation,
            prior,
        )


def whitening(covariance: np.ndarray) -> np.ndarray:
    """Return the inverse Cholesky factors, float32 [K, R, R], of covariances [K, R, R]."""
    factors = np.linalg.cholesky(covariance.astype(np.float64))
    return np.linalg.inv(factors).astype(np.float32)
