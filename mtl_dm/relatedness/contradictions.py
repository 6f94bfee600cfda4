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
"""Standard errors; of 100 pairs that agree, about one in four tables shows a false one."""


class Contradiction(NamedTuple):
    """A pair whose counted share is not what the relatedness says.

    Attributes:
        class_name: Name of the class.
        attribute: Name of the attribute.
        assumed: P(attribute | class) of the relatedness, away from 0 and 1.
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


def contradictions(relatedness: Relatedness, tally: Tally) -> list[Contradiction]:
    """Return the pairs whose counted share differs from the table beyond noise, largest first.

    P, as `likelihood` has it (a 0 of a published table means "hardly ever"), lies outside the
    Wilson interval of the share: |share - P| > 3 sqrt(P (1 - P) / n). A table that was counted
    on n0 images itself has noise of its own: 1/n becomes 1/n + 1/n0.

    Args:
        relatedness: The table.
        tally: Counts over the same classes and attributes.
    """
    found = []
    likelihood = relatedness.likelihood
    for k, i in np.argwhere(tally.annotated > 0):
        images = float(tally.annotated[k, i])
        share, assumed = float(tally.active[k, i]) / images, float(likelihood[k, i])
        own = math.inf if relatedness.counts is None else float(relatedness.counts[k, i])
        if own == 0:
            continue
        low, high = wilson(share, 1.0 / (1.0 / images + 1.0 / own))
        if not low <= assumed <= high:
            names = relatedness.classes[k], relatedness.attributes[i]
            found.append(Contradiction(*names, assumed, share, low, high, int(images)))
    return sorted(found, key=lambda each: -abs(each.counted - each.assumed))


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
        beyond_noise: `implied` lies outside the Wilson interval of `observed`.
        impossible: Even min_k P_ki or max_k P_ki does: no shares of classes explain it.
    """

    attribute: str
    implied: float
    observed: float
    images: int
    beyond_noise: bool
    impossible: bool


def implied_frequencies(
    relatedness: Relatedness, active: Any, annotated: Any, prior: Any = None
) -> list[Frequency]:
    """Return what a relatedness implies for each attribute beside what is observed.

    It needs no image with both labels. A difference says that P is wrong or that the images with
    attributes hold other shares of the classes than `prior`; `impossible` says it is P.

    Args:
        relatedness: Its `likelihood` is P.
        active: [M], images on which the attribute is active.
        annotated: [M], images on which it is annotated.
        prior: [K]; None: the relatedness's own, uniform where it has none.
    """
    p = relatedness.likelihood.astype(np.float64)
    implied = (prior_of(relatedness) if prior is None else np.asarray(prior)) @ p
    found = []
    for i, name in enumerate(relatedness.attributes):
        images = int(annotated[i])
        if images == 0:
            found.append(Frequency(name, float(implied[i]), math.nan, 0, False, False))
            continue
        observed = float(active[i]) / images
        low, high = wilson(observed, images)
        beyond = not low <= implied[i] <= high
        impossible = bool(p[:, i].min() > high or p[:, i].max() < low)
        found.append(Frequency(name, float(implied[i]), observed, images, beyond, impossible))
    return found
