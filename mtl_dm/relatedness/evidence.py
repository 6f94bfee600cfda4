"""What annotated attributes say for each class, in nats, on arrays: no Keras.

Shapes: N images, K classes, M attributes.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from mtl_dm.relatedness._relatedness import Relatedness, smoothed
from mtl_dm.relatedness.annotations import usable

Matrix = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Evidence:
    """Co-annotated images and what their attributes say.

    Attributes:
        classes: int [N], the labels.
        evidence: [N, K], sum over annotated attributes of a log P + (1 - a) log(1 - P).
        log_prior: [K], -inf where the prior is 0; zeros for a uniform one.
    """

    classes: npt.NDArray[np.int64]
    evidence: Matrix
    log_prior: Matrix


def evidence_of(
    class_labels: Any,
    attribute_labels: Any,
    attribute_mask: Any,
    relatedness: Relatedness,
    *,
    leave_one_out: bool = False,
) -> Evidence:
    """Return the evidence on the images that have both a class and an annotated attribute.

    Args:
        class_labels: int [N], places in `relatedness.classes`, -1 where the class is missing.
        attribute_labels: [N, M], 1 active, 0 not active; negative or NaN where it is missing.
        attribute_mask: [N, M], 1 annotated, 0 not; None: missing values alone say so.
        relatedness: Its `likelihood` and `prior` are used.
        leave_one_out: For a relatedness counted on these very images: the likelihood of an
            image's own class is counted without it. The prior stays.

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
    evidence = log_likelihood(active, mask, relatedness)
    if leave_one_out:
        present, absent = _logarithms(_without_own(classes, active, mask, relatedness))
        own = np.sum(active * present + (mask - active) * absent, axis=1)
        evidence[np.arange(len(classes)), classes] = own
    return Evidence(classes, evidence, _log_prior(classes, relatedness))


def log_likelihood(active: Matrix, mask: Matrix, relatedness: Relatedness) -> Matrix:
    """Return log P(annotated attributes | class), [N, K].

    Args:
        active: [N, M], 0 where the mask is 0.
        mask: [N, M] of 0 and 1.
        relatedness: Its `likelihood` is P.
    """
    present, absent = _logarithms(relatedness.likelihood)
    return active @ present.T + (mask - active) @ absent.T


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
