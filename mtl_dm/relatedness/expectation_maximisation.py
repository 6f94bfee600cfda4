"""Relatedness learned where no image is annotated for both tasks.

Shapes: N images, K classes, M attributes.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax, softmax

from mtl_dm.labels import check_absence, check_class_ids, refuse
from mtl_dm.relatedness._relatedness import Relatedness
from mtl_dm.relatedness.annotations import class_shares
from mtl_dm.relatedness.observations import Observations, checked_observations

Array = npt.NDArray[np.float64]
CLIP = 0.02
"""Probabilities are kept this far from 0 and 1 inside logarithms."""


@dataclasses.dataclass(frozen=True)
class Estimator:
    """How P(attribute | class) is learned from predictions; the defaults need no search.

    Attributes:
        rounds: Rounds of expectation and maximisation.
        temperature: T of the expectation: evidence of attributes, which depend on each other, is
            divided by it.
        strength: Pseudo images a class on the side of `start`.
        predicted: Most images a class that count with predicted attributes. These keep the
            estimate where labelled attributes are few, but say what the model believes anyway.
        gate: Images whose likeliest class has less than this probability are left out.
        safe: Of a given table that labels judge (`learn_judged`): draw it toward the rates too,
            and rely less on pairs with few images. Off: on inner splits it gave up attribute F1
            and average precision, and saved no class accuracy.

    Raises:
        ValueError: If a setting breaks its rule.
    """

    rounds: int = 5
    temperature: float = 2.0
    strength: float = 1.0
    predicted: float = 3.0
    gate: float = 0.5
    safe: bool = False

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not (np.isfinite(value) and value >= 0):
                raise ValueError(f"{field.name} must be finite and >= 0, got {value}.")
        if self.rounds != int(self.rounds):
            raise ValueError(f"rounds must be a whole number, got {self.rounds}.")
        if self.temperature == 0 or self.gate >= 1:
            raise ValueError(
                f"temperature must be > 0 and gate below 1, got {self.temperature} and {self.gate}."
            )


class SoftCounts(NamedTuple):
    """What the last expectation counts, in images.

    Attributes:
        active: [K, M], of the images with the attribute labelled, those that have it.
        images: [K, M], the images with the attribute labelled.
        believed: [K, M], those that have it of the images that count with a predicted attribute.
        predicted: [K, M], the images that count so.
        labels: [K], images labelled as each class.
    """

    active: Array
    images: Array
    believed: Array
    predicted: Array
    labels: Array


def learn(
    observations: Observations, start: Relatedness, estimator: Estimator | None = None
) -> Relatedness:
    """Return P(attribute | class) estimated from single-task annotations and a model's predictions.

    Source: this project; expectation maximisation (Dempster, Laird, Rubin 1977) of the mixture
    P(c, a | x) = p(c | x) prod_i P(a_i | c), in which p(c | x) is what the model predicts.
    Expectation, for an image of unknown class with labelled attributes:

        r_nc ~ p_nc exp(1/T sum_i m_ni (a_ni log P_ci + (1 - a_ni) log(1 - P_ci)))

    an image of known class has its label for r. Maximisation:

        P_ci = (sum_n r_nc m_ni a_ni + w sum_l p_li + s P0_ci) / (sum_n r_nc m_ni + w n_c + s)

    n over images with attribute i labelled, l over the n_c images labelled as class c whose
    attribute i is not, with the model's prediction p_li; w <= 1 so that w n_c is at most
    `predicted`; P0 is `start` and s `strength`. The first P comes from images of known class
    alone, with w = 1.

    Args:
        observations: Of training images, predicted without their own labels' task where it is
            missing.
        start: The table to start from and to shrink toward, over the same labels; `marginal`
            makes one that knows nothing.
        estimator: Its settings; None: the defaults.

    Returns:
        A relatedness with `counts`, the divisors; `prior` the shares of the class labels.

    Raises:
        ValueError: If a shape does not fit, no class or no attribute is labelled, or a
            probability or a label is out of its range.
    """
    settings = estimator or Estimator()
    base = start.likelihood.astype(np.float64)
    found = soft_counts(observations, start, settings.strength, settings)
    conditional, counts = maximised(found, base, settings.strength)
    return learned_table(start, conditional, counts, found.labels, len(observations.class_labels))


def learned_table(
    start: Relatedness, conditional: Array, counts: Array, labels: Array, images: int
) -> Relatedness:
    """Return a learned P(attribute | class) as a relatedness.

    Args:
        start: Gives the names.
        conditional: [K, M].
        counts: [K, M], the divisors.
        labels: [K], images labelled as each class; their shares are the prior.
        images: All that were looked at.
    """
    conditional = np.clip(conditional, 0.0, 1.0)
    return Relatedness(
        start.classes,
        start.attributes,
        conditional,
        conditional,
        f"Learned from single-task labels and predictions of {images:,} images, starting from: "
        f"{start.citation}",
        class_shares(labels),
        counts,
    )


def soft_counts(
    observations: Observations, start: Relatedness, strength: Array | float, settings: Estimator
) -> SoftCounts:
    """Return what the last expectation of `learn` counts, without pseudo images.

    Args:
        observations: As for `learn`.
        start: As for `learn`.
        strength: s of `learn`, a number or one for each pair [K, M].
        settings: Its other settings.

    Raises:
        ValueError: As `learn`.
    """
    seen = checked_observations(observations, start)
    known = seen.class_labels >= 0
    labels = (seen.class_labels[:, None] == np.arange(len(start.classes))).astype(np.float64)
    mask = (seen.attribute_labels >= 0).astype(np.float64)
    active = np.where(mask > 0, seen.attribute_labels, 0.0)
    # Predicted attributes of images with a known class.
    missing = (1.0 - mask) * known[:, None]
    images = labels.T @ missing
    believed = labels.T @ (missing * seen.attributes)
    base = start.likelihood.astype(np.float64)
    capped = np.minimum(1.0, settings.predicted / np.maximum(images, 1e-9))

    def counted(r: Array, weight: Array | float) -> SoftCounts:
        sure = r * (r.max(axis=1) >= settings.gate)[:, None]
        return SoftCounts(
            sure.T @ active, sure.T @ mask, weight * believed, weight * images, labels.sum(axis=0)
        )

    found = counted(labels, 1.0)  # Images of unknown class: all zero, left out.
    for _ in range(int(settings.rounds)):
        conditional, _ = maximised(found, base, strength)
        evidence = _log_likelihood(active, mask, conditional) / settings.temperature
        tempered = softmax(np.log(np.maximum(seen.classes, 1e-12)) + evidence, axis=1)
        found = counted(np.where(known[:, None], labels, tempered), capped)
    return found


def maximised(found: SoftCounts, base: Array, strength: Array | float) -> tuple[Array, Array]:
    """Return the P of `learn`'s maximisation and its divisors, [K, M] each.

    Args:
        found: What the expectation counts.
        base: [K, M], P0.
        strength: s, a number or one for each pair.
    """
    divisor = found.images + found.predicted + strength
    total = found.active + found.believed + strength * base
    # Without a pseudo image a class that nothing is known of stays where it started.
    safe = np.where(divisor > 0, divisor, 1.0)
    return np.where(divisor > 0, total / safe, base), divisor


def marginal(
    class_labels: npt.NDArray[np.int64],
    attribute_labels: Array,
    *,
    classes: tuple[str, ...],
    attributes: tuple[str, ...],
) -> Relatedness:
    """Return the relatedness that knows nothing: P(attribute) for every class.

    Args:
        class_labels: int [N], -1 where it is missing.
        attribute_labels: [N, M], negative where it is missing.
        classes: K class names.
        attributes: M attribute names.

    Raises:
        ValueError: If an attribute has no label at all; it is named. If a label breaks its rule;
            the row is named.
    """
    check_class_ids("class_labels", np.maximum(class_labels, -1), len(classes))
    check_absence("attribute_labels", attribute_labels)
    refuse("attribute_labels", "be at most 1", attribute_labels, attribute_labels > 1)
    images = np.array([(class_labels == k).sum() for k in range(len(classes))], np.float64)
    mask = attribute_labels >= 0
    annotated = mask.sum(axis=0)
    never = [name for name, number in zip(attributes, annotated, strict=True) if number == 0]
    if never:
        raise ValueError(f"No image is labelled for {never}: nothing can be learned of them.")
    rates = np.where(mask, attribute_labels, 0.0).sum(axis=0) / annotated
    table = np.tile(rates, (len(classes), 1))
    return Relatedness(
        classes,
        attributes,
        table,
        table,
        "The attributes' frequencies, the same for every class.",
        class_shares(images),
        np.tile(annotated, (len(classes), 1)),
    )


def explained(
    observations: Observations, relatedness: Relatedness, estimator: Estimator | None = None
) -> Array:
    """Return log P(labelled class | predicted attributes) of each image with a class label, [L].

    It measures a relatedness by labels that a model's attribute predictions have not seen: the
    guard of learning compares it before and after (`drifted`).

    Args:
        observations: As for `learn`.
        relatedness: Over the same labels.
        estimator: Its temperature divides the evidence, as in `learn`; None: the defaults.
    """
    temperature = (estimator or Estimator()).temperature
    known = observations.class_labels >= 0
    p = observations.attributes[known]
    # Tempered as in learning: predicted attributes depend on each other even more than labels.
    scores = _log_likelihood(p, np.ones_like(p), relatedness.likelihood) / temperature
    if relatedness.prior is not None:
        scores = scores + np.log(np.maximum(relatedness.prior, 1e-12))
    log_posterior = log_softmax(scores, axis=1)
    return log_posterior[np.arange(len(p)), observations.class_labels[known]]


def drifted(
    observations: Observations,
    learned: Relatedness,
    start: Relatedness,
    estimator: Estimator | None = None,
) -> bool:
    """Return whether a learned relatedness explains the class labels worse than its start.

    Criterion: the mean over images of `explained(learned) - explained(start)` is more than two
    standard errors below 0.
    """
    gain = explained(observations, learned, estimator) - explained(observations, start, estimator)
    return bool(gain.mean() < -2.0 * gain.std() / np.sqrt(len(gain)))


def _log_likelihood(active: Array, mask: Array, conditional: Array) -> Array:
    """Return sum_i m_i (a_i log P_ci + (1 - a_i) log(1 - P_ci)), [N, K]."""
    p = np.clip(conditional, CLIP, 1.0 - CLIP)
    return (active * mask) @ np.log(p).T + ((1.0 - active) * mask) @ np.log1p(-p).T
