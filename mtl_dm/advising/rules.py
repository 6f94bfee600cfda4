"""The rules of the advice: which table, which reduction, and whether coupling will help.

They follow the little evidence there is (experiments/coupling_study.py); each names its number, so
that it can be argued with.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.stats import chi2

from mtl_dm.advising.labelled import Labelled
from mtl_dm.relatedness import Information, Relatedness, estimate, marginal
from mtl_dm.tasks import Reduction

if TYPE_CHECKING:
    from mtl_dm.advising.advice import Checked, Weights

Outlook = Literal["help", "open", "none"]
Origin = Literal["given", "counted", "shrunk", "learned"]

FEW_FOR_COUNTING = 30
"""A pair of class and attribute counted on fewer images is shrunk toward what else is known."""
FEW_FOR_SUM = 100
"""Below so many images with attributes the mean of attribute losses did better than the sum."""
HARDLY_A_BIT = 0.01
"""Bits; an attribute that says less about the class says nothing that training could notice."""
HARDLY_ANY = 0.01
"""Share of a batch; a term that informs less is as good as off."""
NOTABLE = 0.1
"""Difference of frequencies that is worth a word; smaller ones are beyond noise in large data."""
CHANCE = 0.01
"""Level of the test for information, over all attributes together (Bonferroni)."""
ENOUGH_TO_SEE = 0.05
"""Bits; where so much could pass as chance, images are too few to call attributes silent."""


def reduction_of(labelled: Labelled) -> Reduction:
    """Return the reduction of attribute losses that did better with so many labels."""
    return "mean" if labelled.has_attributes.sum() < FEW_FOR_SUM else "sum"


def choose(
    labelled: Labelled, given: Relatedness | None, learned: bool
) -> tuple[Relatedness, Origin]:
    """Return the table to train with and where it comes from."""
    covered = labelled if given is None else labelled.restrict(given)
    annotated = covered.tally().annotated
    if annotated.max() > 1:  # `estimate` needs two images of a pair to choose how much to shrink.
        return _counted(covered, annotated, given)
    if given is not None:
        return given, "learned" if learned else "given"
    known = np.flatnonzero(labelled.mask.any(axis=0))
    start = marginal(
        labelled.class_ids,
        np.where(labelled.mask > 0, labelled.active, -1.0)[:, known],
        classes=labelled.classes.labels,
        attributes=tuple(labelled.attributes.labels[i] for i in known),
    )
    return start, "learned"


def _counted(
    covered: Labelled, annotated: np.ndarray, given: Relatedness | None
) -> tuple[Relatedness, Origin]:
    # Without a table nothing is known of an attribute that no image with a class has.
    known = [
        name
        for name, images in zip(covered.attributes.labels, annotated.sum(axis=0), strict=True)
        if images or given is not None
    ]
    labels = covered
    if len(known) < covered.attributes.size:
        columns = [covered.attributes.labels.index(name) for name in known]
        labels = dataclasses.replace(
            covered,
            attributes=covered.attributes.replace(labels=tuple(known)),
            active=covered.active[:, columns],
            mask=covered.mask[:, columns],
        )
    classes, attributes = labels.classes.labels, labels.attributes.labels
    tally = labels.tally()
    if tally.annotated.min() >= FEW_FOR_COUNTING:
        return tally.relatedness(classes, attributes), "counted"
    table = estimate(
        labels.class_ids,
        labels.active,
        labels.mask,
        classes=classes,
        attributes=attributes,
        toward=given,
    )
    return table, "shrunk"


def judge(
    covered: Labelled, checked: Checked, weights: Weights, origin: Origin, blank: bool
) -> tuple[Outlook, tuple[str, ...]]:
    """Return the outlook and why."""
    if weights.missing_attributes < HARDLY_ANY and weights.attributes_only < HARDLY_ANY:
        return "none", (
            "Everything is labelled for both tasks: there is no missing label that one task could "
            "tell the other, and the rule for the weights switches both terms off.",
        )
    if checked.information is None:
        return _judge_unseen(covered, checked, origin, blank)
    found = checked.information
    telling = beyond_chance(found) & (np.nan_to_num(found.bits) >= HARDLY_A_BIT)
    best = checked.own or checked.given
    level = ""
    if best is not None:
        word = "beats" if best.above else "does not beat"
        level = (
            f"on {best.images:,} images with both labels the posterior of the class given its "
            f"attributes {word} the most frequent class beyond noise ({100 * best.accuracy:.1f}% "
            f"against {100 * best.majority:.1f}%)"
        )
    many = f"{telling.sum()} of {len(telling)} attributes say something about the class"
    silent = not telling.any() and not (best is not None and best.above)
    if silent and _unseen_bits(found, covered.classes.size) > ENOUGH_TO_SEE:
        return "open", (
            f"The {found.images.max():.0f} images with both labels are too few to say whether the "
            f"attributes tell the class: nothing shows{', ' + level if level else ''}, but "
            f"{_unseen_bits(found, covered.classes.size):.2f} bits an attribute could hide.",
        )
    if silent:
        return "none", (
            "The attributes say nothing about the classes: "
            f"{level or 'no image shows it'}, and no attribute carries {HARDLY_A_BIT} bits beyond "
            "chance. Whatever a table says, it would teach noise.",
        )
    if best is not None and best.above:
        return "help", (f"The attributes say something about the classes: {level}; {many}.",)
    return "open", (f"The attributes say little about the classes: {level}; but {many}.",)


def beyond_chance(found: Information) -> np.ndarray:
    """Return which attributes say more about the class than chance would, bool [M]."""
    return found.p_values < CHANCE / len(found.p_values)


def _unseen_bits(found: Information, classes: int) -> float:
    """Return the bits that an attribute could have on these images and still pass as chance."""
    quantile = chi2.isf(CHANCE / len(found.bits), classes - 1)
    return float(quantile / (2.0 * found.images.max() * math.log(2.0)))


def _judge_unseen(
    covered: Labelled, checked: Checked, origin: Origin, blank: bool
) -> tuple[Outlook, tuple[str, ...]]:
    """Return the outlook where no image has both labels."""
    unseen = "No image is labelled for both tasks, so labels alone cannot show"
    if blank:
        return "open", (
            f"{unseen} how attributes and classes belong together; training would have to learn it "
            "(`learned`). A published table, or some dozens of images labelled for both, is worth "
            "more than anything else here.",
        )
    # Attributes without a label cannot tell the class of any image.
    most = checked.assumed[covered.mask.any(axis=0)].max(initial=0.0)
    if most < HARDLY_A_BIT:
        return "none", (
            f"The relatedness says (nearly) the same of every class: no attribute carries "
            f"{HARDLY_A_BIT} bits about the class, so it can teach neither task.",
        )
    wrong = [each for each in checked.frequencies if each.impossible]
    known = [each for each in checked.frequencies if each.images]
    if known and 2 * len(wrong) > len(known):
        return "open", (
            f"{unseen} whether the relatedness is right, and there is reason for doubt: no shares "
            f"of the classes explain how frequent {len(wrong)} of {len(known)} attributes are.",
        )
    start = " It is only where learning starts." if origin == "learned" else ""
    return "open", (
        f"{unseen} whether the relatedness is right. If it is, coupling should help: it claims up "
        f"to {most:.2f} bits an attribute, and the labels that are missing are "
        f"the ones it informs.{start}",
    )
