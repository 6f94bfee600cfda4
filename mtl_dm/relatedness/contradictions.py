"""Where a relatedness and labels cannot both be right.

Shapes: K classes, M attributes.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from mtl_dm.relatedness._relatedness import Relatedness
from mtl_dm.relatedness.annotations import Tally
from mtl_dm.relatedness.information import prior_of

BEYOND_NOISE = 3.0
"""Standard errors; of four tables of 100 pairs that are right, one shows a false pair."""


class Contradiction(NamedTuple):
    """A pair whose counted share is not what the relatedness says.

    Attributes:
        class_name: Name of the class.
        attribute: Name of the attribute.
        assumed: P(attribute | class) of the relatedness.
        counted: Share of the images of the class that have it.
        low: Lower end of the Wilson interval of the share, `BEYOND_NOISE` standard errors wide.
        high: Upper end.
        images: Images of the class with the attribute annotated.
    """

    class_name: str
    attribute: str
    assumed: float
    counted: float
    low: float
    high: float
    images: int

    def __str__(self) -> str:
        pair = f"{self.attribute} given {self.class_name}"
        return f"{pair}: {self.assumed:.0%} assumed, {self.counted:.0%} of {self.images:,}"


def contradictions(relatedness: Relatedness, tally: Tally) -> list[Contradiction]:
    """Return the pairs whose counted share differs from the table beyond noise, largest first.

    P lies outside the Wilson interval of the share: |share - P| > 3 sqrt(P (1 - P) / n), and so
    does all between it and its `likelihood`, since a 0 of a published table means "hardly ever". A
    table that was counted on n0 images itself has noise of its own: 1/n becomes 1/n + 1/n0.

    Args:
        relatedness: The table.
        tally: Counts over the same classes and attributes.
    """
    found = []
    lowest, highest = _claimed(relatedness)
    for k, i in np.argwhere(tally.annotated > 0):
        images = float(tally.annotated[k, i])
        share = float(tally.active[k, i]) / images
        own = math.inf if relatedness.counts is None else float(relatedness.counts[k, i])
        if own == 0:
            continue
        low, high = wilson(share, 1.0 / (1.0 / images + 1.0 / own))
        if highest[k, i] < low or lowest[k, i] > high:
            names = relatedness.classes[k], relatedness.attributes[i]
            assumed = float(relatedness.conditional[k, i])
            found.append(Contradiction(*names, assumed, share, low, high, int(images)))
    return sorted(found, key=lambda each: -abs(each.counted - each.assumed))


def _claimed(relatedness: Relatedness) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of what lies between P and its likelihood, [K, M] each."""
    p, softened = relatedness.conditional.astype(np.float64), relatedness.likelihood
    return np.minimum(p, softened), np.maximum(p, softened)


def wilson(share: float, images: float, z: float = BEYOND_NOISE) -> tuple[float, float]:
    """Return the interval of Wilson 1927 for a probability of which `share` was counted.

    Args:
        share: In [0, 1].
        images: n > 0.
        z: Half width in standard errors.
    """
    scale = 1.0 + z * z / images
    centre = (share + z * z / (2.0 * images)) / scale
    reach = z * math.sqrt(share * (1.0 - share) / images + z * z / (4.0 * images**2)) / scale
    return max(0.0, centre - reach), min(1.0, centre + reach)


class Frequency(NamedTuple):
    """How often an attribute is active, and how often the relatedness implies it is.

    Attributes:
        attribute: Its name.
        implied: sum_k prior_k P_ki.
        observed: Share of its annotated images; NaN without one.
        images: Their number.
        beyond_noise: `implied`, give or take its own noise, lies outside the Wilson interval of
            `observed`.
        impossible: Even min_k P_ki or max_k P_ki does: no shares of classes explain it.
    """

    attribute: str
    implied: float
    observed: float
    images: int
    beyond_noise: bool
    impossible: bool

    def __str__(self) -> str:
        return f"{self.attribute} {self.implied:.0%} implied, {self.observed:.0%} observed"


def implied_frequencies(
    relatedness: Relatedness,
    active: Any,
    annotated: Any,
    prior: Any = None,
    prior_images: float = math.inf,
) -> list[Frequency]:
    """Return what a relatedness implies for each attribute beside what is observed.

    It needs no image with both labels. A difference says that P is wrong or that the images with
    attributes hold other shares of the classes than `prior`; `impossible` says it is P.

    Args:
        relatedness: P; what lies between it and its `likelihood` agrees with it.
        active: [M], images on which the attribute is active.
        annotated: [M], images on which it is annotated.
        prior: [K]; None: the relatedness's own, uniform where it has none.
        prior_images: Images that the prior was counted on, which gives `implied` noise of its own.
    """
    p = relatedness.conditional.astype(np.float64)
    lowest, highest = _claimed(relatedness)
    weights = prior_of(relatedness) if prior is None else np.asarray(prior)
    implied = weights @ p
    # Of the mean of P over images whose classes are drawn from the prior.
    variance = np.maximum(weights @ p**2 - implied**2, 0.0) / prior_images
    reach = BEYOND_NOISE * np.sqrt(variance)
    found = []
    for i, name in enumerate(relatedness.attributes):
        images = int(annotated[i])
        if images == 0:
            found.append(Frequency(name, float(implied[i]), math.nan, 0, False, False))
            continue
        observed = float(active[i]) / images
        low, high = wilson(observed, images)
        least, most = weights @ lowest[:, i] - reach[i], weights @ highest[:, i] + reach[i]
        beyond = bool(most < low or least > high)
        impossible = bool(lowest[:, i].min() > high or highest[:, i].max() < low)
        found.append(Frequency(name, float(implied[i]), observed, images, beyond, impossible))
    return found
