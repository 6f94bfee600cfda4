"""What a prediction counts as where no face was found: the rule of Vielzeuf et al. 2019, 4.1.

Shapes: N images, V numbers of a regression.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def correct_where_detected(correct: Any, detected: Any) -> np.ndarray:
    """Return which predictions count as correct, bool [N]: none of an undetected face does.

    Args:
        correct: Whether each prediction is right, [N] or, label by label, [N, L].
        detected: Whether a face was found, [N].

    Raises:
        ValueError: If they are of different lengths.
    """
    correct, detected = np.asarray(correct, bool), np.asarray(detected, bool)
    _require_as_many(len(correct), detected)
    return correct & detected.reshape(-1, *[1] * (correct.ndim - 1))


def mid_range_where_undetected(predictions: Any, detected: Any, low: Any, high: Any) -> np.ndarray:
    """Return predictions [N, V], of an undetected face the mean of the lowest and highest value.

    Args:
        predictions: Of a regression, [N, V].
        detected: Whether a face was found, [N].
        low: The lowest value that there is, a number or [V].
        high: The highest one.

    Raises:
        ValueError: If lengths differ or a lowest value is above the highest.
    """
    predictions, detected = np.asarray(predictions, np.float64), np.asarray(detected, bool)
    _require_as_many(len(predictions), detected)
    if np.any(np.asarray(low) > np.asarray(high)):
        raise ValueError(f"low must not be above high, got {low} and {high}.")
    middle = (np.asarray(low, np.float64) + np.asarray(high, np.float64)) / 2
    return np.where(detected[:, None], predictions, middle)


def _require_as_many(count: int, detected: np.ndarray) -> None:
    if detected.shape != (count,):
        raise ValueError(f"detected must be [{count}], a value a prediction, got {detected.shape}.")
