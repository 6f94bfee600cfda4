"""How much attributes say about classes: mutual information, and how often a posterior is right.

Shapes: N images, K classes, M attributes.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import entr, softmax, xlogy
from scipy.stats import chi2

from mtl_dm.relatedness._relatedness import Relatedness
from mtl_dm.relatedness.annotations import Tally
from mtl_dm.relatedness.evidence import evidence_of, log_likelihood

Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Information:
    """Mutual information of the class and each attribute.

    Attributes:
        bits: [M], corrected for its bias, >= 0; NaN where no image has both labels.
        plug_in: [M], of the counted shares themselves: too high by about (K - 1) / (2 n ln 2).
        p_values: [M], of counts at least as uneven if class and attribute were independent.
        images: [M], n.
    """

    bits: Array
    plug_in: Array
    p_values: Array
    images: Array

    def beyond_chance(self, level: float) -> npt.NDArray[np.bool_]:
        """Return which attributes say more than chance would at this level of all tests, [M].

        Source: the correction of Bonferroni, level / M a test.
        """
        return np.less(self.p_values, level / len(self.p_values))

    def hidden(self, level: float, classes: int) -> float:
        """Return the bits that an attribute could have and still pass as chance.

        Args:
            level: As of `beyond_chance`.
            classes: K, more than 1.
        """
        quantile = chi2.isf(level / len(self.p_values), classes - 1)
        return float(quantile / (2.0 * self.images.max() * math.log(2.0)))


def mutual_information(tally: Tally) -> Information:
    """Return the mutual information of the class and each attribute, counted on images with both.

    Source: the correction of Miller 1955 (Miller-Madow): with c, a and j the numbers of classes,
    attribute values and pairs that occur, add (c + a - j - 1) / (2 n) nats. The p-values are those
    of the likelihood ratio test: 2 n I nats follow chi-squared with (c - 1)(a - 1) degrees.

    Args:
        tally: The counts (`mtl_dm.relatedness.count`).
    """
    joint = np.stack([tally.active, tally.annotated - tally.active])  # [2, K, M]
    images = joint.sum(axis=(0, 1))
    n = np.maximum(images, 1.0)
    by_value, by_class = joint.sum(axis=1), joint.sum(axis=0)
    total = xlogy(joint, joint).sum(axis=(0, 1)) + xlogy(n, n)
    total -= xlogy(by_value, by_value).sum(axis=0) + xlogy(by_class, by_class).sum(axis=0)
    nats = np.maximum(total / n, 0.0)
    values, classes = (by_value > 0).sum(axis=0), (by_class > 0).sum(axis=0)
    pairs = (joint > 0).sum(axis=(0, 1))
    corrected = np.maximum(nats + (classes + values - pairs - 1) / (2.0 * n), 0.0)
    degrees = (classes - 1) * (values - 1)
    p = np.where(degrees > 0, chi2.sf(2.0 * n * nats, np.maximum(degrees, 1)), 1.0)
    unknown = images == 0
    return Information(
        np.where(unknown, np.nan, corrected / math.log(2.0)),
        np.where(unknown, np.nan, nats / math.log(2.0)),
        np.where(unknown, 1.0, p),
        images,
    )


def assumed_information(relatedness: Relatedness, prior: Any = None) -> Array:
    """Return the bits that a relatedness itself claims each attribute says about the class, [M].

    I = h(sum_k prior_k P_ki) - sum_k prior_k h(P_ki) with h the entropy of a coin.

    Args:
        relatedness: Its `likelihood` is P.
        prior: [K]; None: the relatedness's own, uniform where it has none.
    """
    p = relatedness.likelihood.astype(np.float64)
    weights = prior_of(relatedness) if prior is None else np.asarray(prior, np.float64)
    return np.maximum(_coin(weights @ p) - weights @ _coin(p), 0.0) / math.log(2.0)


def prior_of(relatedness: Relatedness) -> Array:
    """Return the prior of the classes, uniform where the relatedness has none, [K]."""
    if relatedness.prior is None:
        return np.full(len(relatedness.classes), 1.0 / len(relatedness.classes))
    return relatedness.prior.astype(np.float64)


@dataclasses.dataclass(frozen=True)
class Accuracy:
    """How often the posterior of co-annotated images has the labelled class first.

    Attributes:
        accuracy: Share of right images.
        majority: Share of the most frequent class: what needs no attribute.
        images: Their number.
        z: Of the paired difference of the two, in its standard errors; 0 if there is none.
    """

    accuracy: float
    majority: float
    images: int
    z: float

    @property
    def above(self) -> bool:
        """Whether attributes beat the majority beyond noise (more than two standard errors)."""
        return self.z > 2.0

    def __str__(self) -> str:
        noise = f"{'beyond' if self.above else 'within'} noise (z = {self.z:.1f})"
        right = f"{self.accuracy:.1%} of {self.images:,} images right"
        return f"{right}, against {self.majority:.1%} by the most frequent class, {noise}"


def posterior_accuracy(
    class_labels: Any,
    attribute_labels: Any,
    attribute_mask: Any,
    relatedness: Relatedness,
    *,
    leave_one_out: bool = False,
) -> Accuracy:
    """Return how often `mtl_dm.losses.class_posterior` is right on co-annotated images.

    The temperature has a say only against the prior; here it is 1, the form's default.

    Args:
        class_labels: See `evidence_of`, as the next four.
        attribute_labels: [N, M].
        attribute_mask: [N, M] or None.
        relatedness: Whose posterior.
        leave_one_out: For a relatedness counted on these very images.

    Raises:
        ValueError: As `evidence_of`.
    """
    found = evidence_of(
        class_labels, attribute_labels, attribute_mask, relatedness, leave_one_out=leave_one_out
    )
    right = (found.evidence + found.log_prior).argmax(axis=1) == found.classes
    often = found.classes == np.bincount(found.classes).argmax()
    gain = right.astype(np.float64) - often
    error = gain.std() / math.sqrt(len(gain))
    z = 0.0
    if gain.any():
        # Without spread every image loses: one class only, which the posterior never has first.
        z = float(gain.mean() / error) if error > 0 else -math.inf
    return Accuracy(float(right.mean()), float(often.mean()), len(gain), z)


def confidence(attribute_labels: Any, attribute_mask: Any, relatedness: Relatedness) -> float:
    """Return the mean probability of the likeliest class over images with attributes; NaN if none.

    It is what a relatedness believes of its own posterior, right or wrong.

    Args:
        attribute_labels: [N, M], anything under a zero mask.
        attribute_mask: [N, M] of 0 and 1.
        relatedness: Whose posterior.
    """
    mask = np.asarray(attribute_mask, np.float64)
    rows = mask.max(axis=1) > 0
    if not rows.any():
        return math.nan
    active = np.where(mask > 0, np.asarray(attribute_labels, np.float64), 0.0)[rows]
    prior = prior_of(relatedness)
    scores = np.log(prior, out=np.full(len(prior), -np.inf), where=prior > 0)
    posterior = softmax(scores + log_likelihood(active, mask[rows], relatedness), axis=1)
    return float(posterior.max(axis=1).mean())


def _coin(p: Array) -> Array:
    return entr(p) + entr(1.0 - p)
