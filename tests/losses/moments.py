"""Inputs of forms between classes and real values, and the forms again in NumPy and SciPy."""

import numpy as np
from scipy.special import softmax
from scipy.stats import multivariate_normal

from mtl_dm.relatedness import Moments

CLASSES, VALUES = tuple("abc"), ("valence", "arousal")
B, K, R = 12, len(CLASSES), len(VALUES)


def relation(prior=True, seed=0):
    rng = np.random.default_rng(seed)
    roots = 0.3 * rng.normal(size=(K, R, R))
    covariance = roots @ np.swapaxes(roots, 1, 2) + 0.1 * np.eye(R)
    share = [0.5, 0.2, 0.3] if prior else None
    return Moments(CLASSES, VALUES, rng.uniform(-0.8, 0.8, (K, R)), covariance, "random", share)


def draw(seed=0):
    """The arguments of a form by name; every mixture of labelled and not labelled occurs."""
    rng = np.random.default_rng(seed)
    class_mask, value_mask = rng.integers(0, 2, B), rng.integers(0, 2, (B, R))
    class_mask[:4], value_mask[:4] = [0, 1, 0, 1], np.array([[0], [0], [1], [1]])
    f = np.float32
    return {
        "logits": rng.normal(0, 1.5, (B, K)).astype(f),
        "predictions": rng.normal(0, 0.7, (B, R)).astype(f),
        "relation": relation(),
        "labels": {
            "classes": np.eye(K)[rng.integers(0, K, B)].astype(f) * class_mask[:, None],
            "values": rng.uniform(-1, 1, (B, R)).astype(f) * value_mask,
        },
        "masks": {"classes": class_mask.astype(f), "values": value_mask.astype(f)},
    }


def shrunk_divergence(mean, covariance, of_mean, of_covariance, shrinkage):
    """KL of normal distributions, the first one's moments shrunk toward the second's."""
    mean = of_mean + (1 - shrinkage) * (mean - of_mean)
    covariance = (1 - shrinkage) * covariance + shrinkage * of_covariance
    precision = np.linalg.inv(of_covariance)
    trace = np.trace(precision @ covariance)
    square = (mean - of_mean) @ precision @ (mean - of_mean)
    logs = np.linalg.slogdet(of_covariance)[1] - np.linalg.slogdet(covariance)[1]
    return 0.5 * (trace + square - len(mean) + logs)


def matching_batch(logits, predictions, related, covered=None, images=1.0):
    rows = np.ones(len(logits)) if covered is None else covered
    p = np.average(softmax(logits, axis=1), axis=0, weights=rows)
    of_mean = p @ related.mean
    # E[y y'] - E[y] E[y]', class by class.
    second = sum(
        p[k] * (related.covariance[k] + np.outer(related.mean[k], related.mean[k]))
        for k in range(len(p))
    )
    of_covariance = second - np.outer(of_mean, of_mean)
    mean = np.average(predictions, axis=0, weights=rows)
    covariance = np.cov(predictions.T, aweights=rows, ddof=0)
    shrinkage = images / (rows.sum() + images)
    return np.log1p(shrunk_divergence(mean, covariance, of_mean, of_covariance, shrinkage))


def matching_conditional(
    logits, predictions, related, labels, masks, share=None, covered=None, images=1.0
):
    """`share` is a constant of the gradient: give it where differences are taken."""
    r = np.where(masks["classes"][:, None] > 0, labels["classes"], softmax(logits, axis=1))
    y = np.where(masks["values"] > 0, labels["values"], predictions)
    r = r * (np.ones(len(r)) if covered is None else covered)[:, None]
    mass = r.sum(axis=0)
    share = mass / mass.sum() if share is None else share
    return sum(
        share[k]
        * np.log1p(
            shrunk_divergence(
                np.average(y, axis=0, weights=r[:, k]),
                np.cov(y.T, aweights=r[:, k], ddof=0),
                related.mean[k],
                related.covariance[k],
                images / (mass[k] + images),
            )
        )
        for k in range(len(mass))
    )


def posterior(values, mask, related, temperature=1.0):
    """Image by image, class by class, over the annotated values."""
    prior = np.full(K, 1 / K) if related.prior is None else related.prior
    joint = np.tile(prior.astype(np.float64), (len(values), 1))
    for b, (row, known) in enumerate(zip(values, mask > 0, strict=True)):
        for k in range(K if known.any() else 0):
            density = multivariate_normal.pdf(
                row[known], related.mean[k][known], related.covariance[k][np.ix_(known, known)]
            )
            joint[b, k] *= density ** (1 / temperature)
    return joint / joint.sum(axis=1, keepdims=True)
