"""Smoothed class labels: evenly, or as a prior says which classes people confuse.

Shapes: B or N images, K classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from keras import ops

from mtl_dm.losses._checks import require_shape


def smoothed(labels: Any, share: float, prior: Any = None) -> Any:
    """Return labels that give a share of their mass to other classes.

    Source: Vo et al. 2020, prior distribution label smoothing: t = (1 - s) y + s D_c for an image
    of class c, with D_c the row of c in a table D; soft labels y take the mean of the rows,
    y D. Without a table, Szegedy et al. 2016: t = (1 - s) y + s / K. Rows of D need not sum to 1
    (in the authors' code they do not), nor does t then: its loss is that much smaller, and the
    most likely prediction the same as for t divided by its sum.

    Args:
        labels: [B, K] one-hot or soft labels; rows of zeros with a prior stay zeros.
        share: s in [0, 1).
        prior: D, [K, K]; None: evenly.

    Returns:
        [B, K] float32.

    Raises:
        ValueError: If the table does not fit the labels.
    """
    labels = ops.cast(labels, "float32")
    if prior is None:
        return labels * (1.0 - share) + share / labels.shape[-1]
    rows = ops.convert_to_tensor(prior, dtype="float32")
    require_shape("prior", rows, (labels.shape[-1],) * 2)
    return labels * (1.0 - share) + share * ops.matmul(labels, rows)


def prior_from_votes(votes: Any, classes: Any) -> npt.NDArray[np.float64]:
    """Return a table for `smoothed`: how people vote on images of each class.

    Source: Vo et al. 2020 take theirs from the ten votes per image of FER+ (Barsoum et al. 2016):
    D_c is the mean over the images of class c of their shares of votes. Its own class is in it.

    Args:
        votes: [N, K] numbers of votes, >= 0, at least one an image.
        classes: [N], the id of each image's class.

    Returns:
        [K, K]; rows sum to 1.

    Raises:
        ValueError: If a shape does not fit, an image has no votes or a negative number of them, a
            class is unknown, or a class has no image.
    """
    votes, classes = np.asarray(votes, np.float64), np.asarray(classes)
    if votes.ndim != 2 or classes.shape != votes.shape[:1]:
        raise ValueError(
            f"votes must be [N, K] and classes [N], got shapes {votes.shape} and {classes.shape}."
        )
    totals = votes.sum(axis=1, keepdims=True)
    bad = np.flatnonzero(
        ~((votes >= 0).all(axis=1) & (totals[:, 0] > 0) & np.isfinite(totals[:, 0]))
    )
    if len(bad):
        raise ValueError(
            "Every image needs votes >= 0 and at least one vote, got "
            f"{votes[bad[0]].tolist()} in row {bad[0]}."
        )
    known = range(votes.shape[1])
    unknown = sorted(set(classes.tolist()) - set(known))
    if unknown:
        raise ValueError(f"classes must be ids in [0, {votes.shape[1] - 1}], got {unknown}.")
    empty = sorted(set(known) - set(classes.tolist()))
    if empty:
        raise ValueError(f"Every class needs an image, but there is none of class {empty}.")
    return np.stack([(votes / totals)[classes == each].mean(axis=0) for each in known])
