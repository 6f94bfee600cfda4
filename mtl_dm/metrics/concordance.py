"""Concordance of real values, from moments that merge exactly over batches.

Shapes: N rows, R values. Averaging the CCC of batches is wrong (each batch has its own means), so
batches are merged as moments: T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating formulae and a
pairwise algorithm for computing sample variances", 1979.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_RESOLUTION = 1e-28
"""Spread relative to the squared means below which float64 sees rounding errors only."""


@dataclasses.dataclass(frozen=True)
class Moments:
    """Moments of labels y and predictions x over annotated entries, in float64.

    Attributes:
        count: [R], number of entries n.
        means: [2, R], of y and of x.
        comoments: [3, R], sum (y - mean y)^2, sum (x - mean x)^2 and
            sum (y - mean y)(x - mean x).
    """

    count: Array
    means: Array
    comoments: Array

    @classmethod
    def none(cls, size: int) -> Moments:
        """Return the moments of no entries of R = `size` values."""
        return cls(np.zeros(size), np.zeros((2, size)), np.zeros((3, size)))

    @classmethod
    def of(cls, labels: Array, predictions: Array, mask: Array) -> Moments:
        """Return the moments of labels and predictions [N, R] where the bool mask [N, R] is set."""
        values = np.where(mask, np.stack([labels, predictions]).astype(np.float64), 0.0)
        count = mask.sum(axis=0).astype(np.float64)
        means = values.sum(axis=1) / np.maximum(count, 1)
        y, x = np.where(mask, values - means[:, None], 0.0)
        comoments = np.stack([(y * y).sum(axis=0), (x * x).sum(axis=0), (y * x).sum(axis=0)])
        return cls(count, means, comoments)

    def merge(self, other: Moments) -> Moments:
        """Return the moments of both sets of entries together."""
        count = self.count + other.count
        share = other.count / np.maximum(count, 1)
        y, x = delta = other.means - self.means
        between = self.count * share * np.stack([y * y, x * x, y * x])
        return Moments(
            count, self.means + delta * share, self.comoments + other.comoments + between
        )


def concordance(moments: Moments) -> Array:
    """Return per value [R] CCC = 2 cov(y, x) / (var y + var x + (mean y - mean x)^2).

    Variances and covariance are those of the population (divided by n). Source: Kollias,
    Sharmanska, Zafeiriou, AAAI 2024, "Performance Measures".

    Returns:
        The CCC in [-1, 1]. 0 where labels and predictions are one and the same constant (0 / 0:
        nothing varies, so nothing is shown to agree); NaN where nothing is annotated.
    """
    n = np.maximum(moments.count, 1)
    variance_y, variance_x, covariance = moments.comoments / n
    mean_y, mean_x = moments.means
    spread = variance_y + variance_x + (mean_y - mean_x) ** 2
    defined = spread > _RESOLUTION * (mean_y**2 + mean_x**2)
    values = np.where(defined, 2 * covariance / np.where(defined, spread, 1.0), 0.0)
    return np.where(moments.count == 0, np.nan, values)
