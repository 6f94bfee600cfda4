"""Moments counted on annotated images, and learned where no image has both labels.

Shapes: N images, K classes, R values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import logsumexp, softmax

from mtl_dm.relatedness.annotations import class_shares
from mtl_dm.relatedness.moments import Moments, whitening
from mtl_dm.relatedness.value_labels import class_table, value_table

POOLED = 10.0
"""Images of the pooled covariance in that of a class, and of the overall mean in its mean, where
moments are learned: a network that tells no classes apart then teaches none."""
_ROUNDS = 25
_FLOOR = 1e-4
"""Part of the start's covariance in a learned one: labels that do not vary have none."""


def moments_from_annotations(
    class_labels: Any,
    value_labels: Any,
    *,
    classes: Sequence[str],
    values: Sequence[str],
    pooled: float = 0.0,
) -> Moments:
    """Return mean and covariance of the values in each class, and the classes' shares.

    Counted are images with a class and every value annotated; covariances are divided by their
    number.

    Args:
        class_labels: int [N], -1 where it is missing.
        value_labels: [N, R], NaN where it is missing.
        classes: K class names.
        values: R names.
        pooled: Images >= 0 by which a class's covariance is drawn to the mean covariance within
            classes (regularised discriminant analysis, Friedman 1989), for classes of few images.

    Raises:
        ValueError: If a shape does not fit, a label breaks its rule, a class has no such image, or
            a covariance is not positive definite (a class of few images: give `pooled`).
    """
    ids = class_table(class_labels, classes)
    y = value_table(value_labels, values, len(ids))
    if not pooled >= 0:
        raise ValueError(f"pooled must be >= 0, got {pooled}.")
    whole = ~np.isnan(y).any(axis=1) & (ids >= 0)
    one_hot = np.eye(len(classes))[ids[whole]]
    never = [name for name, count in zip(classes, one_hot.sum(axis=0), strict=True) if not count]
    if never:
        raise ValueError(
            f"Moments need every class annotated together with all of {list(values)}; never: "
            f"{never}."
        )
    mean, covariance = weighted_moments(one_hot, y[whole], pooled)
    return Moments(
        tuple(classes),
        tuple(values),
        mean,
        covariance,
        f"Counted on {whole.sum()} annotated images.",
        class_shares(np.bincount(ids[ids >= 0], minlength=len(classes)).astype(np.float64)),
    )


def weighted_moments(
    shares: np.ndarray, values: np.ndarray, pooled: float = 0.0, drawn: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean [K, R] and covariance [K, R, R] of values, each image a part of each class.

    Args:
        shares: [N, K] >= 0.
        values: [N, R].
        pooled: Images by which covariances are drawn to the one within all classes.
        drawn: Images by which means are drawn to the overall one.
    """
    mass = shares.sum(axis=0)
    overall = (mass @ _ratio(shares.T @ values, mass)) / max(mass.sum(), 1e-12)
    mean = (shares.T @ values + drawn * overall) / np.maximum(mass + drawn, 1e-12)[:, None]
    off = values[:, None, :] - mean
    scatter = np.einsum("nk,nki,nkj->kij", shares, off, off)
    within = scatter.sum(axis=0) / max(mass.sum(), 1e-12)
    divisor = np.maximum(mass + pooled, 1e-12)[:, None, None]
    return mean, (scatter + pooled * within) / divisor


def overall_moments(value_labels: Any, classes: Sequence[str], values: Sequence[str]) -> Moments:
    """Return the start of learning: every class has mean and covariance of all labels.

    Args:
        value_labels: [N, R], NaN where it is missing.
        classes: K class names.
        values: R names.

    Raises:
        ValueError: If a label breaks its rule, or labels are too few, or too much alike, for a
            covariance.
    """
    y = value_table(value_labels, values, len(value_labels))
    y = y[~np.isnan(y).any(axis=1)]
    if len(y) < 2:
        raise ValueError(
            f"Moments need two images with all of {list(values)} annotated, got {len(y)}."
        )
    mean, covariance = weighted_moments(np.ones((len(y), 1)), y)
    count = len(classes)
    return Moments(
        tuple(classes),
        tuple(values),
        np.repeat(mean, count, axis=0),
        np.repeat(covariance, count, axis=0),
        f"Mean and covariance of {len(y)} images, the same for every class.",
    )


def learn_moments(
    class_probabilities: np.ndarray,
    class_labels: np.ndarray,
    value_labels: np.ndarray,
    start: Moments,
    pooled: float = POOLED,
) -> Moments:
    """Return the moments under which labelled values and predicted classes are likeliest.

    Source: this project; expectation maximisation (Dempster, Laird, Rubin 1977) of a mixture whose
    shares are the network's for each image, r_nk ~ p_nk N(y_n; mu_k, Sigma_k), or its class where
    it is labelled. Predicted values take no part: they are means, and vary less than labels.

    Args:
        class_probabilities: [N, K], p, of the network.
        class_labels: int [N], -1 where it is missing.
        value_labels: [N, R], NaN where it is missing.
        start: Names, and the moments where no image has all values.
        pooled: As `POOLED` says.
    """
    whole = ~np.isnan(value_labels).any(axis=1)
    if whole.sum() < 2:
        return start
    y, ids = value_labels[whole].astype(np.float64), class_labels[whole]
    prior = np.log(np.clip(class_probabilities[whole], 1e-12, 1.0))
    known = np.where((ids >= 0)[:, None], np.eye(prior.shape[1])[ids], 0.0)
    shares = np.where((ids >= 0)[:, None], known, np.exp(prior))
    floor = _FLOOR * start.covariance.astype(np.float64)
    for _ in range(_ROUNDS):
        mean, covariance = weighted_moments(shares, y, pooled, pooled)
        scores = prior + _log_density(y, mean, covariance + floor)
        shares = np.where((ids >= 0)[:, None], known, softmax(scores, axis=1))
    mean, covariance = weighted_moments(shares, y, pooled, pooled)
    return Moments(
        start.classes,
        start.values,
        mean,
        covariance + floor,
        f"Learned during training from the values of {len(y)} images.",
        _shares_of(class_probabilities, class_labels),
    )


def explained_values(
    class_probabilities: np.ndarray,
    class_labels: np.ndarray,
    value_labels: np.ndarray,
    moments: Moments,
) -> float:
    """Return the mean log density of labelled values given the class, known or predicted, in nats.

    Args:
        class_probabilities: As for `learn_moments`.
        class_labels: Likewise.
        value_labels: Likewise.
        moments: To judge.
    """
    whole = ~np.isnan(value_labels).any(axis=1)
    ids = class_labels[whole]
    known = np.log(np.clip(np.eye(len(moments.classes))[ids], 1e-12, 1.0))
    prior = np.log(np.clip(class_probabilities[whole], 1e-12, 1.0))
    prior = np.where((ids >= 0)[:, None], known, prior)
    density = _log_density(
        value_labels[whole].astype(np.float64),
        moments.mean.astype(np.float64),
        moments.covariance.astype(np.float64),
    )
    return float(np.mean(logsumexp(prior + density, axis=1)))


def _log_density(y: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return log N(y_n; mu_k, Sigma_k), [N, K]."""
    factors = whitening(covariance).astype(np.float64)
    off = np.einsum("kij,nkj->nki", factors, y[:, None, :] - mean)
    log_roots = np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
    constant = 0.5 * y.shape[1] * np.log(2 * np.pi)
    return log_roots - 0.5 * np.square(off).sum(axis=2) - constant


def _shares_of(probabilities: np.ndarray, class_labels: np.ndarray) -> np.ndarray:
    """Return the classes' shares: of labels where there are any, else of predictions."""
    labelled = class_labels[class_labels >= 0]
    if len(labelled):
        counts = np.bincount(labelled, minlength=probabilities.shape[1]).astype(np.float64)
        return class_shares(counts)
    return class_shares(probabilities.sum(axis=0, dtype=np.float64))


def _ratio(totals: np.ndarray, mass: np.ndarray) -> np.ndarray:
    return totals / np.maximum(mass, 1e-12)[:, None]
