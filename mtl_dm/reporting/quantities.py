"""What the numbers of a metric are: their range, how they are shown, and which way is better."""

from __future__ import annotations

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Quantity:
    """How a kind of metric is read.

    Attributes:
        low: Lowest value that it can have.
        high: Highest value that it can have.
        scale: What a value is multiplied by to be shown.
        digits: Behind the point.
        unit: Of a shown difference, "points"; "" for none.
        higher_is_better: Which direction is a gain.
    """

    low: float
    high: float
    scale: float = 1.0
    digits: int = 3
    unit: str = ""
    higher_is_better: bool = True

    @property
    def sign(self) -> int:
        """+1 where higher is better, else -1."""
        return 1 if self.higher_is_better else -1


FRACTION = Quantity(0.0, 1.0, scale=100.0, digits=1, unit="points")
ERROR_RATE = dataclasses.replace(FRACTION, higher_is_better=False)
CORRELATION = Quantity(-1.0, 1.0)
ERROR = Quantity(0.0, math.inf, higher_is_better=False)

# A word of the metric's name says what it is; a metric with none of them is a fraction.
_WORDS = {
    "ccc": CORRELATION,
    "correlation": CORRELATION,
    "pcc": CORRELATION,
    "pearson": CORRELATION,
    "ece": ERROR_RATE,
    "eer": ERROR_RATE,
    "rate": ERROR_RATE,
    "error": ERROR,
    "mae": ERROR,
    "mse": ERROR,
    "nll": ERROR,
    "rmse": ERROR,
}
_NEUTRAL = ("base_rate",)


def quantity_of(metric: str) -> Quantity:
    """Return what a metric is, by its name: "ccc_valence", "rmse/arousal", "equal_error_rate".

    Fractions are shown in percent, correlations and errors as they are.

    Args:
        metric: Name, with or without a label behind a slash.
    """
    base = metric.partition("/")[0]
    if base in _NEUTRAL:
        return FRACTION
    words = base.split("_")
    # "error_rate" is a rate: the last word decides.
    found = [_WORDS[word] for word in reversed(words) if word in _WORDS]
    return found[0] if found else FRACTION
