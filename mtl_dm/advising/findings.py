"""What labels say, in numbers: the table to train with, its weights, and how it stands."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from mtl_dm.data import LabelledPair
from mtl_dm.losses.shares import Labelled, attributes_without_class, missing_attributes
from mtl_dm.losses.weighting import co_annotation_factor, matching_factor
from mtl_dm.models import Coupling
from mtl_dm.relatedness import Checked, Origin, Relatedness, best_known, check
from mtl_dm.tasks import Reduction

FEW_FOR_SUM = 100
"""Below so many images with attributes the mean of attribute losses did better than the sum."""


class Weights(NamedTuple):
    """What `mtl_dm.losses.weighting` makes of a batch with these shares."""

    shares: tuple[float, ...]
    missing_attributes: float
    attributes_only: float
    matching: float
    co_annotation: float


@dataclasses.dataclass(frozen=True)
class Findings:
    """What labels say of coupling two tasks.

    Attributes:
        labelled: The labels, all of them.
        covered: Those that the table names.
        given: The given table, restricted to the tasks' labels; None: none was given, or it has
            nothing in common with them.
        relatedness: The table to train with, over labels that the tasks have.
        origin: Where it comes from.
        learned: It is where learning starts.
        reduction: Recommended `Task.reduction` of the attributes.
        weights: What the rule gives.
        checked: What labels say of both tables.
    """

    labelled: LabelledPair
    covered: LabelledPair
    given: Relatedness | None
    relatedness: Relatedness
    origin: Origin
    learned: bool
    reduction: Reduction
    weights: Weights
    checked: Checked


def find(
    labelled: LabelledPair, given: Relatedness | None, learned: bool, shares: tuple[float, ...]
) -> Findings:
    """Return what labels say; `learned`: the given table is meant as the start of learning."""
    named = labelled if given is None else labelled.restrict(given.classes, given.attributes)
    classes, attributes = named.classes.labels, named.attributes.labels
    table, origin = best_known(*named.arrays, classes=classes, attributes=attributes, given=given)
    covered = labelled.restrict(table.classes, table.attributes)
    reduction: Reduction = "mean" if labelled.has_attributes.sum() < FEW_FOR_SUM else "sum"
    return Findings(
        labelled,
        covered,
        given,
        table,
        origin,
        origin == "blank" or (learned and origin == "given"),
        reduction,
        Weights(shares, *_weigh(labelled, covered, shares, reduction)),
        check(*covered.arrays, table, given, counted=origin in ("counted", "shrunk")),
    )


def _weigh(
    labelled: LabelledPair, covered: LabelledPair, shares: tuple[float, ...], reduction: Reduction
) -> list[float]:
    known = labelled.has_class
    # A coupling leaves an image of a class that its table does not name alone: nothing is missing.
    alone = (known & ~covered.has_class)[:, None]
    # Each image counts as often as batches have it.
    counted = np.repeat(np.array(shares) * len(known) / covered.sizes, covered.sizes)
    matched = Labelled(covered.has_class, covered.mask | alone, counted)
    taught = Labelled(known, covered.mask & ~alone, counted)
    return [
        float(missing_attributes(matched)),
        float(attributes_without_class(taught)),
        float(matching_factor(Coupling.matching_form, matched, reduction)),
        float(co_annotation_factor(Coupling.co_annotation_form, taught)),
    ]
