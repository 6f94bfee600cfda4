"""A counted relatedness drawn towards what is known already, for few co-annotated images.

Shapes: K classes, M attributes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import betaln

from mtl_dm.relatedness._relatedness import Relatedness
from mtl_dm.relatedness.annotations import count

Matrix = npt.NDArray[np.float64]

STRENGTHS = (0.1, 10_000.0)
"""Bounds of a chosen strength, in pseudo-images."""


def shrink(
    counted: Relatedness, toward: Relatedness | None = None, strength: float | None = None
) -> Relatedness:
    """Return the posterior mean of P(attribute | class) under a beta prior.

    Source: the conjugate beta-binomial model, with its strength chosen by empirical Bayes. The
    prior of a pair (class, attribute) is Beta(s P0, s (1 - P0)), as much as s images of which a
    share P0 has the attribute. After n images of which a share P has it:

        conditional = (n P + s P0) / (n + s)

    so that a pair counted on many images keeps P, and one without an image (n = 0) takes P0.

    Args:
        counted: With `counts` n; `conditional` is P, of no account where n = 0.
        toward: Its `likelihood` is P0 where it names both class and attribute. Elsewhere, and
            everywhere for None, P0 is the attribute's rate over all counted images, smoothed
            after Laplace: (active + 1) / (images + 2).
        strength: s >= 0 pseudo-images a pair; None: the s in `STRENGTHS` that makes the counts
            of all pairs likeliest (`log_evidence`).

    Returns:
        `conditional` and `weights` are the posterior mean, `counts` is n + s, so that `likelihood`
        smooths what is known, not only what was counted; the prior of `counted`. The citation
        says what was done.

    Raises:
        ValueError: If `counted` has no counts, `toward` shares no class or no attribute with it,
            an attribute is neither counted nor named by `toward`, the strength is negative or not
            finite, or it is to be chosen and no pair was counted on two images (one image is
            equally likely under every s).
    """
    if counted.counts is None:
        raise ValueError("shrink needs a counted relatedness; this one has no counts.")
    n = counted.counts.astype(np.float64)
    active = n * counted.conditional
    expected, named = _expected(counted, active, n, toward)
    how = "given"
    if strength is None:
        strength, how = likeliest_strength(active, n, expected), "chosen by marginal likelihood"
    if not (math.isfinite(strength) and strength >= 0):
        raise ValueError(f"strength must be finite and >= 0, got {strength}.")
    total = n + strength
    # Where total is 0 there is no image, real or not: P0 is the limit of s -> 0.
    mean = np.where(
        total > 0, (active + strength * expected) / np.where(total > 0, total, 1.0), expected
    )
    source = "the attributes' rates over all classes"
    if toward is not None:
        rest = f" ({source} for {named.size - named.sum()} of {named.size} pairs that it lacks)"
        source = f"[{toward.citation}]" + ("" if named.all() else rest)
    citation = (
        f"{counted.citation} Shrunk as by {strength:.4g} images a pair ({how}) toward {source}."
    )
    return Relatedness(
        counted.classes, counted.attributes, mean, mean, citation, counted.prior, total
    )


def estimate(
    class_labels: Any,
    attribute_labels: Any,
    attribute_mask: Any = None,
    *,
    classes: Sequence[str],
    attributes: Sequence[str],
    toward: Relatedness | None = None,
    strength: float | None = None,
) -> Relatedness:
    """Return the relatedness of a small co-annotated share, with holes: counted, then shrunk.

    Unlike `from_annotations` it takes classes that were never annotated with an attribute, whose
    P then is P0 of `shrink`. The prior is the classes' shares; smoothed after Laplace,
    (images + 1) / (all + K), where a class has no image at all.

    Args:
        class_labels: See `from_annotations`, as the next four. Images without attributes count
            in the prior.
        attribute_labels: [N, M].
        attribute_mask: [N, M] or None.
        classes: K class names.
        attributes: M attribute names.
        toward: See `shrink`.
        strength: See `shrink`.

    Raises:
        ValueError: As `from_annotations` for bad arrays, and as `shrink`.
    """
    tally = count(class_labels, attribute_labels, attribute_mask, classes, attributes)
    return shrink(tally.relatedness(classes, attributes), toward, strength)


def log_evidence(active: Any, counts: Any, expected: Any, strength: float) -> float:
    """Return the log marginal likelihood of the counts under Beta(s P0, s (1 - P0)), in nats.

    Up to a constant, that of the beta-binomial distribution: sum over pairs of
    log B(a + s P0, n - a + s (1 - P0)) - log B(s P0, s (1 - P0)). A pair with n = 0 adds 0.

    Args:
        active: [K, M], a of n images have the attribute.
        counts: [K, M], n.
        expected: [K, M], P0 in (0, 1).
        strength: s > 0.
    """
    yes, no = strength * expected, strength * (1.0 - expected)
    return float(np.sum(betaln(active + yes, counts - active + no) - betaln(yes, no)))


def likeliest_strength(active: Matrix, n: Matrix, expected: Matrix) -> float:
    """Return the strength in `STRENGTHS` that makes counts likeliest (`log_evidence`).

    Args:
        active: [K, M], a.
        n: [K, M], the images.
        expected: [K, M], P0 in (0, 1).

    Raises:
        ValueError: If no pair was counted on two images: one is equally likely under every s.
    """
    if not (n > 1).any():
        raise ValueError(
            "A strength can be chosen only where a class was annotated with an attribute on two "
            "images or more; give `strength`."
        )
    # a <= n, but n P is rounded.
    active = np.clip(active, 0.0, n)

    def loss(log_strength: float) -> float:
        return -log_evidence(active, n, expected, math.exp(log_strength))

    # The evidence may have several peaks: the best of a grid is refined between its neighbours.
    grid = np.linspace(math.log(STRENGTHS[0]), math.log(STRENGTHS[1]), 60)
    best = int(np.argmin([loss(place) for place in grid]))
    bounds = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    return math.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x)


def _expected(
    counted: Relatedness, active: Matrix, n: Matrix, toward: Relatedness | None
) -> tuple[Matrix, np.ndarray]:
    """Return P0 [K, M] and where `toward` names the pair."""
    rate = (active.sum(axis=0) + 1.0) / (n.sum(axis=0) + 2.0)
    expected = np.tile(rate, (len(n), 1))
    named = np.zeros(n.shape, bool)
    if toward is not None:
        own = _places(counted.classes), _places(counted.attributes)
        other = _places(toward.classes), _places(toward.attributes)
        classes = [name for name in own[0] if name in other[0]]
        attributes = [name for name in own[1] if name in other[1]]
        if not classes or not attributes:
            raise ValueError(
                f"`toward` names none of the classes {list(counted.classes)} or none of the "
                f"attributes {list(counted.attributes)}."
            )
        places = np.ix_([own[0][name] for name in classes], [own[1][name] for name in attributes])
        # Not by `restrict`, which refuses classes that all have prior 0: no prior has a part here.
        expected[places] = toward.likelihood[
            np.ix_([other[0][name] for name in classes], [other[1][name] for name in attributes])
        ]
        named[places] = True
    unknown = (n.sum(axis=0) == 0) & ~named.all(axis=0)
    if unknown.any():
        names = [name for name, is_it in zip(counted.attributes, unknown, strict=True) if is_it]
        raise ValueError(
            f"The attributes {names} are annotated with no class, and `toward` does not name them "
            "for every class; leave them out."
        )
    return expected, named


def _places(names: Sequence[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}
