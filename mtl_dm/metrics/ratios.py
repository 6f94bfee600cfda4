"""Ratios and means in which what is not defined is NaN, without a warning."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def ratio(numerator: Array, denominator: Array) -> Array:
    """Return numerator / denominator in float64, NaN where the denominator is 0."""
    undefined = np.full(denominator.shape, np.nan)
    return np.divide(numerator, denominator, out=undefined, where=denominator != 0)


def mean_of_defined(values: Array) -> float:
    """Return the mean over the entries that are not NaN; NaN if there is none."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")
