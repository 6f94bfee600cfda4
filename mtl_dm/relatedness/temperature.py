"""How far to trust attributes that are not independent: the temperature of a posterior.

Shapes: N images, K classes, M attributes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from mtl_dm.relatedness._relatedness import Relatedness
from mtl_dm.relatedness.evidence import evidence_of

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
    seen = evidence_of(
        class_labels, attribute_labels, attribute_mask, relatedness, leave_one_out=leave_one_out
    )
    classes, evidence, log_prior = seen.classes, seen.evidence, seen.log_prior

    def loss(log_temperature: float) -> float:
        scores = log_prior + evidence / math.exp(log_temperature)
        return -float(np.mean(log_softmax(scores, axis=1)[np.arange(len(classes)), classes]))

    if np.ptp(evidence, axis=1).max() < 1e-6:  # every T is as good
        return 1.0
    low, high = np.log(TEMPERATURES)
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-6})
    return math.exp(found.x)
