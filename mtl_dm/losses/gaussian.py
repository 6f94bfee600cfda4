"""Normal distributions over R values: densities, divergences, mixtures.

Shapes: any leading axes, then R values. Everything is float32. R is small, so that loops over it
are written out; R x R matrices are positive definite.
"""

from __future__ import annotations

from typing import Any

from keras import ops

TINY = 1e-30
"""Least pivot of a matrix of which nothing is known but that it is positive definite."""


def eliminated(matrices: Any, vectors: Any = None, least: float | Any = TINY) -> tuple[Any, Any]:
    """Return log det C and v' C^-1 v by Gaussian elimination.

    Source: the textbook. Without pivoting, which a positive definite C does not need. A pivot, a
    Schur complement, is at least the least eigenvalue; where float32 loses it, it is taken as
    `least`, so that nothing fails or is NaN however badly C is conditioned.

    Args:
        matrices: C, [..., R, R].
        vectors: v, [..., R]; None: 0.
        least: A number > 0 that no eigenvalue is below, or a tensor [...].

    Returns:
        log det C and v' C^-1 v, [...] each.
    """
    size = matrices.shape[-1]
    rest = ops.zeros_like(matrices[..., 0]) if vectors is None else vectors
    log_determinant, square = 0.0, 0.0
    for place in range(size):
        pivot = ops.maximum(matrices[..., 0, 0], least)
        log_determinant += ops.log(pivot)
        square += ops.square(rest[..., 0]) / pivot
        if place + 1 < size:
            ratio = matrices[..., 1:, 0] / pivot[..., None]
            rest = rest[..., 1:] - ratio * rest[..., :1]
            below = matrices[..., 1:, 1:]
            matrices = below - ratio[..., :, None] * matrices[..., :1, 1:]
    return log_determinant, square


def divergence_from_standard(mean: Any, covariance: Any, shrinkage: Any) -> Any:
    """Return KL(N(m, C) || N(0, I)) with both moments shrunk toward 0 and I.

    Source: the textbook divergence 1/2 (tr C + m'm - R - log det C); shrinkage of a covariance
    toward a target after Ledoit, Wolf 2004, m -> (1 - s) m, C -> (1 - s) C + s I, so that a
    covariance counted on fewer than R images has a divergence too. It grows with the square of
    what the moments come from and is 0 where m = 0 and C = I, whatever s is.

    Args:
        mean: m, [..., R].
        covariance: C, [..., R, R], positive semi-definite.
        shrinkage: s in (0, 1], [...].

    Returns:
        [...] in nats, >= 0 up to rounding.
    """
    size = mean.shape[-1]
    kept = 1.0 - shrinkage
    shrunk = kept[..., None, None] * covariance
    shrunk += shrinkage[..., None, None] * ops.eye(size, dtype="float32")
    log_determinant, _ = eliminated(shrunk, least=shrinkage)
    trace = ops.trace(shrunk, axis1=-2, axis2=-1)
    square = ops.square(kept) * ops.sum(ops.square(mean), axis=-1)
    return 0.5 * (trace + square - size - log_determinant)


def mixture_moments(shares: Any, means: Any, covariances: Any) -> tuple[Any, Any]:
    """Return mean and covariance of the mixture sum_k p_k N(mu_k, Sigma_k).

    Source: the laws of total expectation and of total variance,

        m = sum_k p_k mu_k,    C = sum_k p_k (Sigma_k + (mu_k - m)(mu_k - m)').

    Args:
        shares: p, [K], summing to 1.
        means: mu, [K, R].
        covariances: Sigma, [K, R, R].

    Returns:
        m [R] and C [R, R].
    """
    mean = ops.matmul(shares, means)
    off = means - mean
    between = off[:, :, None] * off[:, None, :]
    return mean, ops.sum(shares[:, None, None] * (covariances + between), axis=0)


def log_densities(values: Any, mask: Any, means: Any, covariances: Any) -> Any:
    """Return log N(y; mu_k, Sigma_k) over the annotated values of each image.

    Source: the textbook; the marginal of a normal distribution has the rows and columns of what it
    is over. A value without annotation gets difference 0, variance 1 and no covariance, which adds
    nothing to either term. The constant of 2 pi, the same for every class, is left out.

    Args:
        values: y, [B, R]; anything under a zero mask.
        mask: [B, R], 1 annotated, 0 not.
        means: mu, [K, R].
        covariances: Sigma, [K, R, R], positive definite.

    Returns:
        [B, K]; 0 where nothing is annotated.
    """
    known = ops.cast(ops.cast(mask, "float32") > 0, "float32")
    y = ops.where(known > 0, ops.cast(values, "float32"), 0.0)
    off = known[:, None, :] * (y[:, None, :] - means)
    both = (known[:, :, None] * known[:, None, :])[:, None]
    alone = (1.0 - known)[:, None, :, None] * ops.eye(known.shape[-1], dtype="float32")
    log_determinant, square = eliminated(both * covariances + alone, off)
    return -0.5 * (log_determinant + square)
