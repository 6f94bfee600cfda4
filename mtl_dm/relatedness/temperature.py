"""How far to trust attributes that are not independent: the temperature of a posterior.

Shapes: N images, K classes, M attributes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from mtl_dm.relatedness._relatedness import Relatedness, smoothed
from mtl_dm.relatedness.annotations import usable

Matrix = npt.NDArray[np.float64]

TEMPERATURES = (0.2, 50.0)
"""Bounds of T."""


def best_temperature(
    class_labels: Any,
    attribute_labels: Any,
    attribute_mask: Any,
    relatedness: Relatedness,
    *,
    leave_one_out: bool = False,
) -> float:
    """Return the T under which the posteriors of co-annotated images say most of their classes.

    Source: temperature scaling (Guo, Pleiss, Sun, Weinberger 2017) of naive Bayes. T maximises

        mean_n log q_n(class of n),    q_n ~ prior exp(evidence_n / T)

    with q the `mtl_dm.losses.class_posterior`. The mean is concave in 1/T: there is one maximum.
    Attributes that repeat each other give T > 1.

    Args:
        class_labels: int [N], places in `relatedness.classes`, -1 where the class is missing.
        attribute_labels: [N, M], 1 active, 0 not active; negative or NaN where it is missing.
        attribute_mask: [N, M], 1 annotated, 0 not; None: missing values alone say so.
        relatedness: Its `likelihood` and `prior` make q.
        leave_one_out: For a relatedness counted on these very images: the likelihood of an
            image's own class is counted without it, or T would come out too low. The prior stays.

    Returns:
        T in `TEMPERATURES`; 1 where the attributes favour no class on any image.

    Raises:
        ValueError: If no image has both a class and an annotated attribute, an array is bad (see
            `from_annotations`), a class with prior 0 occurs, or an image is to be left out of
            counts that there are none of, or that it is not in.
    """
    classes = np.asarray(class_labels)
    active = np.asarray(attribute_labels, dtype=np.float64)
    mask = usable(classes, active, attribute_mask, relatedness.classes, relatedness.attributes)
    rows = (classes >= 0) & (mask.max(axis=1) > 0)
    if not rows.any():
        raise ValueError("No image has both a class and an annotated attribute.")
    classes, mask = classes[rows], mask[rows]
    active = np.where(mask > 0, active[rows], 0.0)
    present, absent = _logarithms(relatedness.likelihood)
    evidence = active @ present.T + (mask - active) @ absent.T
    if leave_one_out:
        present, absent = _logarithms(_without_own(classes, active, mask, relatedness))
        own = np.sum(active * present + (mask - active) * absent, axis=1)
        evidence[np.arange(len(classes)), classes] = own
    log_prior = _log_prior(classes, relatedness)

    def loss(log_temperature: float) -> float:
        scores = log_prior + evidence / math.exp(log_temperature)
        return -float(np.mean(log_softmax(scores, axis=1)[np.arange(len(classes)), classes]))

    if np.ptp(evidence, axis=1).max() < 1e-6:  # every T is as good
        return 1.0
    low, high = np.log(TEMPERATURES)
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-6})
    return math.exp(found.x)


def _logarithms(likelihood: np.ndarray) -> tuple[Matrix, Matrix]:
    """Return log P and log(1 - P)."""
    p = likelihood.astype(np.float64)
    return np.log(p), np.log1p(-p)


def _without_own(
    classes: np.ndarray, active: Matrix, mask: Matrix, relatedness: Relatedness
) -> Matrix:
    """Return the likelihood of each image's own class, counted without it, [N, M]."""
    if relatedness.counts is None:
        raise ValueError("leave_one_out needs a counted relatedness; this one has no counts.")
    counts = relatedness.counts.astype(np.float64)
    left = counts[classes] - mask
    active_left = (counts * relatedness.conditional)[classes] - active
    # n P is rounded, at most by one in 10^6.
    slack = 1e-5 * (1.0 + counts[classes])
    counted = (left >= -slack) & (active_left >= -slack) & (active_left <= left + slack)
    if not counted.all():
        raise ValueError("leave_one_out needs a relatedness counted on these very images.")
    left = np.maximum(left, 0.0)
    return smoothed(np.clip(active_left, 0.0, left), left)


def _log_prior(classes: np.ndarray, relatedness: Relatedness) -> Matrix:
    if relatedness.prior is None:
        return np.zeros(len(relatedness.classes))
    prior = relatedness.prior.astype(np.float64)
    never = [relatedness.classes[k] for k in np.unique(classes) if prior[k] == 0]
    if never:
        raise ValueError(f"The relatedness gives the classes {never} prior 0, but they occur.")
    return np.log(prior, out=np.full(len(prior), -np.inf), where=prior > 0)
