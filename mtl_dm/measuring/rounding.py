"""Numbers as evidence keeps them: five digits, and null for what is no number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def number(value: float) -> float | None:
    """Return a rounded number; None for NaN and infinity, which strict JSON lacks."""
    return round(float(value), 5) if math.isfinite(value) else None


def numbers(array: np.ndarray) -> Any:
    """Return an array as nested lists of rounded numbers."""
    return [numbers(row) if np.ndim(row) else number(row) for row in array]
