"""Agreement of real values, from sums that merge exactly over batches.

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
        squared_error: [R], sum (y - x)^2. The other moments give it too, but where errors are
            small it would be what is left of a difference of large numbers.
        same_sign: [R], number of entries with sign y = sign x.
    """

    count: Array
    means: Array
    comoments: Array
    squared_error: Array
    same_sign: Array

    @classmethod
    def none(cls, size: int) -> Moments:
        """Return the moments of no entries of R = `size` values."""
        zeros = np.zeros(size)
        return cls(zeros, np.zeros((2, size)), np.zeros((3, size)), zeros, zeros)

    @classmethod
    def of(cls, labels: Array, predictions: Array, mask: Array) -> Moments:
        """Return the moments of labels and predictions [N, R] where the bool mask [N, R] is set."""
        values = np.where(mask, np.stack([labels, predictions]).astype(np.float64), 0.0)
        count = mask.sum(axis=0).astype(np.float64)
        means = values.sum(axis=1) / np.maximum(count, 1)
        squared_error = ((values[0] - values[1]) ** 2).sum(axis=0)
        same_sign = ((np.sign(values[0]) == np.sign(values[1])) & mask).sum(axis=0)
        y, x = np.where(mask, values - means[:, None], 0.0)
        comoments = np.stack([(y * y).sum(axis=0), (x * x).sum(axis=0), (y * x).sum(axis=0)])
        return cls(count, means, comoments, squared_error, same_sign.astype(np.float64))

    def merge(self, other: Moments) -> Moments:
        """Return the moments of both sets of entries together."""
        count = self.count + other.count
        share = other.count / np.maximum(count, 1)
        y, x = delta = other.means - self.means
        between = self.count * share * np.stack([y * y, x * x, y * x])
        return Moments(
            count,
            self.means + delta * share,
            self.comoments + other.comoments + between,
            self.squared_error + other.squared_error,
            self.same_sign + other.same_sign,
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


def pearson(moments: Moments) -> Array:
    """Return per value [R] the correlation cov(y, x) / sqrt(var y var x).

    Returns:
        In [-1, 1]; NaN where labels or predictions do not vary, or nothing is annotated.
    """
    yy, xx, yx = moments.comoments
    squares = moments.count * moments.means**2
    varied = (yy > _RESOLUTION * squares[0]) & (xx > _RESOLUTION * squares[1])
    # The roots before the product, which could leave the range of floats.
    size = np.sqrt(np.where(varied, yy, 1.0)) * np.sqrt(np.where(varied, xx, 1.0))
    return np.where(varied, np.clip(yx / size, -1.0, 1.0), np.nan)


def root_mean_squared_error(moments: Moments) -> Array:
    """Return per value [R] sqrt(mean (y - x)^2), in the labels' unit; NaN without annotation."""
    return np.sqrt(_mean(moments.squared_error, moments))


def sign_agreement(moments: Moments) -> Array:
    """Return per value [R] the share of entries with sign y = sign x; NaN without annotation.

    Source: SAGR of Mollahosseini, Hasani, Mahoor: AffectNet, IEEE Transactions on Affective
    Computing 2019 (the Kronecker delta of both signs). The sign of 0 is 0, so that a label of
    exactly 0 agrees with a prediction of exactly 0 alone.
    """
    return _mean(moments.same_sign, moments)


def _mean(total: Array, moments: Moments) -> Array:
    return np.where(moments.count > 0, total / np.maximum(moments.count, 1), np.nan)
