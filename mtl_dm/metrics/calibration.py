"""Whether probabilities mean what they say: reliability bins and their gap.

Source: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017,
section 2: reliability diagrams (eq. 1) and expected calibration error (eq. 3).

Shapes: N statements, B bins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mtl_dm.metrics.ratios import ratio

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Reliability:
    """Statements grouped by the probability they were made with, B bins of equal width.

    Attributes:
        edges: [B + 1], 0 ... 1. Bin b holds probabilities in (edges[b], edges[b + 1]], the first
            one also 0.
        confidence: [B], mean stated probability; NaN in an empty bin.
        outcome: [B], share of statements that came true; NaN in an empty bin.
        count: [B] int64.
    """

    edges: Array
    confidence: Array
    outcome: Array
    count: Array

    @property
    def error(self) -> float:
        """Expected calibration error: sum over bins of count / N * |outcome - confidence|."""
        filled = self.count > 0
        gaps = np.abs(self.outcome[filled] - self.confidence[filled])
        return float(np.sum(self.count[filled] * gaps) / self.count.sum())


def reliability(probabilities: Any, outcomes: Any, bins: int = 10) -> Reliability:
    """Group statements by their probability and compare it with how often they came true.

    For a multiclass task a statement is an image's predicted class, made with the largest
    probability (the paper's). For a multilabel task it is "the attribute is present", so that a
    bin near 0 should come true almost never: this shows too timid attributes as well.

    Args:
        probabilities: [N] in [0, 1].
        outcomes: [N], 1 or True where the statement was true.
        bins: B.

    Raises:
        ValueError: If there is no statement, the shapes differ, a probability is outside [0, 1],
            an outcome is neither 0 nor 1, or there is no bin.
    """
    stated, came_true = np.asarray(probabilities, np.float64), np.asarray(outcomes, np.float64)
    if stated.ndim != 1 or not stated.size or stated.shape != came_true.shape:
        raise ValueError(
            "probabilities and outcomes must be equally long vectors that are not empty, got the "
            f"shapes {stated.shape} and {came_true.shape}."
        )
    if not ((stated >= 0) & (stated <= 1)).all():
        raise ValueError("probabilities must lie in [0, 1].")
    if not np.isin(came_true, (0, 1)).all():
        raise ValueError("outcomes must be 0 or 1.")
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}.")
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.searchsorted(edges, stated, side="left") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    confidence = ratio(np.bincount(place, stated, minlength=bins), count)
    outcome = ratio(np.bincount(place, came_true, minlength=bins), count)
    return Reliability(edges, confidence, outcome, count)
