"""Advice on a coupling before anything is trained, from labels alone."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from mtl_dm.advising.labelled import Labelled, gather
from mtl_dm.advising.rules import Origin, Outlook, choose, judge, reduction_of
from mtl_dm.advising.text import text_of
from mtl_dm.data.summary import Annotations
from mtl_dm.losses.weighting import co_annotation_factor, matching_factor
from mtl_dm.models import Coupling
from mtl_dm.relatedness import (
    Accuracy,
    Contradiction,
    Frequency,
    Information,
    Relatedness,
    assumed_information,
    best_temperature,
    confidence,
    contradictions,
    implied_frequencies,
    mutual_information,
    posterior_accuracy,
)
from mtl_dm.tasks import Reduction, Task
from mtl_dm.training.assembly import coupled_pair


@dataclasses.dataclass(frozen=True)
class Weights:
    """What the rule of `mtl_dm.losses.weighting` makes of the labels.

    Attributes:
        missing_attributes: Share of attribute labels of an average batch that are missing.
        attributes_only: Share of its images with attributes and no class.
        matching: Factor of distribution matching that follows.
        co_annotation: Factor of soft co-annotation that follows.
        shares: Part of each data set in a batch.
    """

    missing_attributes: float
    attributes_only: float
    matching: float
    co_annotation: float
    shares: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class Checked:
    """What labels say of the tables in question.

    Attributes:
        information: Mutual information on images with both labels; None where there are none.
        assumed: [M], bits that the recommended table claims.
        given: Accuracy of the given table's posterior; None without table or such images.
        own: Accuracy of the table counted on these images, each left out in its turn.
        contradictions: Pairs whose counted share is not what the given table says.
        frequencies: Of attributes, implied by the given table and observed, where no image has
            both labels.
        temperature: T that suits the recommended table; None without images with both labels.
        confidence: Mean probability of the likeliest class that the recommended table gives
            images with attributes.
    """

    information: Information | None
    assumed: np.ndarray
    given: Accuracy | None
    own: Accuracy | None
    contradictions: tuple[Contradiction, ...]
    frequencies: tuple[Frequency, ...]
    temperature: float | None
    confidence: float

    @property
    def bits(self) -> np.ndarray:
        """Information of each attribute, counted where it can be, else as assumed."""
        return self.assumed if self.information is None else self.information.bits


@dataclasses.dataclass(frozen=True)
class Advice:
    """What labels alone say of coupling two tasks; `print` shows it.

    Attributes:
        outlook: "help": labels show that it should; "open": they cannot show it; "none": it
            will not.
        reasons: Why, the first sentence first; Markdown with `code` only.
        coupling: What to train with; None where coupling will not help.
        relatedness: The table of the recommendation, over labels that the tasks have; None
            where the given one shares none with them.
        origin: Where that table comes from; "learned": it is where learning starts.
        blank: Learning starts from nothing but frequencies.
        reduction: Recommended `Task.reduction` of the attributes.
        labelled: The labels, all of them.
        covered: The labels that the table names; None as `relatedness`.
        given: The given table, restricted to the tasks' labels; None: none was given.
        weights: What the rule gives; None as `relatedness`.
        checked: What labels say of the tables; None as `relatedness`.
    """

    outlook: Outlook
    reasons: tuple[str, ...]
    coupling: Coupling | None
    relatedness: Relatedness | None
    origin: Origin
    blank: bool
    reduction: Reduction
    labelled: Labelled
    covered: Labelled | None = None
    given: Relatedness | None = None
    weights: Weights | None = None
    checked: Checked | None = None

    def __str__(self) -> str:
        return text_of(self)


def advise(
    annotations: Sequence[Annotations],
    tasks: Sequence[Task],
    relatedness: Relatedness | None = None,
    *,
    learned: bool = False,
    shares: Sequence[float] | None = None,
) -> Advice:
    """Return what labels say about coupling the first multiclass and the first multilabel task.

    Args:
        annotations: Per data set, labels and masks by task name (`mtl_dm.data.label_arrays`).
        tasks: The tasks to train.
        relatedness: A table to judge; None: one is counted where images have both labels, and
            learned in training where none has.
        learned: The table is meant as the start of learning.
        shares: Part of a batch per data set, in any unit; None: proportional to size.

    Raises:
        ValueError: If one of the two kinds of task is missing, a task has no annotated image or
            one class only, shares are not one positive number per data set, or the table names
            classes of the task of which none occurs, or gives one that occurs prior 0.
    """
    classes, attributes = coupled_pair(tuple(tasks))
    labelled = gather(annotations, classes, attributes)
    parts = _parts(shares, labelled.sizes)
    reduction = reduction_of(labelled)
    given = None
    if relatedness is not None:
        given, apart = _within(relatedness, classes, attributes)
        if given is None:
            return Advice("none", (apart,), None, None, "given", False, reduction, labelled)
        _require_occurring(given, labelled)
    table, origin = choose(labelled, given, learned)
    covered = labelled.restrict(table)
    checked = _check(covered, table, given, origin)
    weights = _weigh(labelled, covered, parts, reduction)
    outlook, reasons = judge(covered, checked, weights, origin, blank := given is None)
    coupling = None
    if outlook != "none":
        coupling = Coupling(classes.name, attributes.name, table, learned=origin == "learned")
    return Advice(
        outlook,
        reasons,
        coupling,
        table,
        origin,
        blank,
        reduction,
        labelled,
        covered,
        given,
        weights,
        checked,
    )


def _parts(shares: Sequence[float] | None, sizes: tuple[int, ...]) -> tuple[float, ...]:
    parts = tuple(float(each) for each in (sizes if shares is None else shares))
    if len(parts) != len(sizes) or not all(math.isfinite(each) and each > 0 for each in parts):
        raise ValueError(
            f"shares must be one positive number per data set, {len(sizes)}, got {list(parts)}."
        )
    return tuple(each / sum(parts) for each in parts)


def _within(
    relatedness: Relatedness, classes: Task, attributes: Task
) -> tuple[Relatedness | None, str]:
    """Return the part of a table that the tasks have labels for, or why there is none."""
    rows = [name for name in relatedness.classes if name in classes.labels]
    columns = [name for name in relatedness.attributes if name in attributes.labels]
    for task, own, shared in (
        (classes, relatedness.classes, rows),
        (attributes, relatedness.attributes, columns),
    ):
        if not shared:
            return None, (
                f"Relatedness and tasks share no label: it names {_some(own)}, the task "
                f"`{task.name}` has {_some(task.labels)}."
            )
    if len(rows) == 1:
        return None, f"The relatedness names a single class of the task, `{rows[0]}`: no choice."
    return relatedness.restrict(rows, columns), ""


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _require_occurring(given: Relatedness, labelled: Labelled) -> None:
    counts = labelled.restrict(given).class_counts()
    if not counts.any():
        raise ValueError(
            f"No image is labelled with a class of the relatedness, {list(given.classes)}: it has "
            "nothing to say about these data."
        )
    if given.prior is not None:
        never = [
            name
            for name, images, prior in zip(given.classes, counts, given.prior, strict=True)
            if images and prior == 0
        ]
        if never:
            raise ValueError(f"The relatedness gives the classes {never} prior 0, but they occur.")


def _check(
    covered: Labelled, table: Relatedness, given: Relatedness | None, origin: Origin
) -> Checked:
    arrays = covered.class_ids, covered.active, covered.mask
    tally = covered.tally()
    both = tally.co_annotated > 0
    # The given table covers the same labels: `estimate` and `counted` keep them all.
    same = given is not None and _counted_here(given, tally.active, tally.annotated)
    own = origin in ("counted", "shrunk")
    frequencies: tuple[Frequency, ...] = ()
    if given is not None and not both:
        images = covered.class_counts()
        counted = given.prior is None
        frequencies = tuple(
            implied_frequencies(
                given,
                covered.active.sum(axis=0),
                covered.mask.sum(axis=0),
                images / images.sum() if counted else None,
                images.sum() if counted else math.inf,
            )
        )
    return Checked(
        information=mutual_information(tally) if both else None,
        assumed=assumed_information(table),
        given=posterior_accuracy(*arrays, given, leave_one_out=same)
        if both and given is not None
        else None,
        own=posterior_accuracy(*arrays, table, leave_one_out=True) if own else None,
        contradictions=tuple(contradictions(given, tally))
        if given is not None and not same
        else (),
        frequencies=frequencies,
        temperature=best_temperature(*arrays, table, leave_one_out=own) if both else None,
        confidence=confidence(covered.active, covered.mask, table),
    )


def _counted_here(table: Relatedness, active: np.ndarray, annotated: np.ndarray) -> bool:
    """Return whether a table was counted on these very images."""
    return table.counts is not None and (
        np.allclose(table.counts, annotated)
        and np.allclose(table.counts * table.conditional, active, rtol=1e-4, atol=1e-2)
    )


def _weigh(
    labelled: Labelled, covered: Labelled, parts: tuple[float, ...], reduction: Reduction
) -> Weights:
    """Return what the rule gives in a batch of these parts, on average."""
    # A coupling leaves an image of a class that its table does not name alone: nothing is missing.
    alone = labelled.has_class & ~covered.has_class
    masks = np.where(alone[:, None], 1.0, covered.mask).astype(np.float32)
    ends = np.cumsum(covered.sizes)
    totals = np.zeros(4)
    for part, end, size in zip(parts, ends, covered.sizes, strict=True):
        rows = slice(end - size, end)
        known, mask = labelled.has_class[rows].astype(np.float32), masks[rows]
        totals += part * np.array(
            [
                1.0 - mask.mean(),
                float(((mask.max(axis=1) > 0) & (known == 0)).mean()),
                float(matching_factor(Coupling.matching_form, mask, reduction)),
                float(co_annotation_factor(Coupling.co_annotation_form, known, mask)),
            ]
        )
    missing, only, matching, co_annotation = map(float, totals)
    return Weights(missing, only, matching, co_annotation, parts)
