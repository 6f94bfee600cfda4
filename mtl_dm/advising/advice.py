"""Advice on a coupling before anything is trained, from labels alone."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from mtl_dm import data
from mtl_dm.advising.findings import Findings, find
from mtl_dm.advising.rules import Outlook, judge
from mtl_dm.advising.text import Section, Told, recommendation, sections
from mtl_dm.advising.values import value_advice
from mtl_dm.models import Coupling
from mtl_dm.relatedness import NothingSharedError, Relatedness
from mtl_dm.tasks import Task
from mtl_dm.training.assembly import coupled_pair


@dataclasses.dataclass(frozen=True)
class Advice(Told, Findings):
    """What labels alone say of coupling two tasks; `print` shows it.

    Attributes:
        outlook: "help": labels show that it should; "open": they cannot show it; "none": it
            will not.
        reason: Why; Markdown with `code` and **strong** only, as all texts.
        coupling: What to train with; None where coupling will not help.
        recommendation: What to do, and why, a line a choice.
        sections: What stands behind it.
    """

    outlook: Outlook
    reason: str
    coupling: Coupling | None
    recommendation: Sequence[str]
    sections: Sequence[Section]


def advise(
    annotations: Sequence[data.Annotations],
    tasks: Sequence[Task],
    relatedness: Relatedness | None = None,
    *,
    learned: bool = False,
    shares: Sequence[float] | None = None,
) -> Advice:
    """Return what labels say about coupling the first multiclass and the first multilabel task.

    Of each regression it says how much its values depend on the class.

    Args:
        annotations: Per data set, labels and masks by task name (`mtl_dm.data.label_arrays`).
        tasks: The tasks to train.
        relatedness: A table to judge; None: one is counted where images have both labels, and
            learned in training where none has.
        learned: The table is meant as the start of learning.
        shares: Part of a batch per data set, in any unit; None: proportional to size.

    Raises:
        ValueError: If one of the two kinds of task is missing, the table is of another kind, a task
            has no annotated image or one class only, an attribute is neither 0 nor 1, a value is
            beyond its bounds, shares are not one positive number per data set, or the table names
            classes of the task of which none occurs, or gives one that occurs prior 0.
    """
    classes, attributes = coupled_pair(tuple(tasks))
    if relatedness is not None and not isinstance(relatedness, Relatedness):
        raise ValueError(
            "Advice judges a table from classes to attributes, got a relation of the kind "
            f"{getattr(relatedness, 'kind', type(relatedness).__name__)}."
        )
    values = [task for task in tasks if task.kind == "regression"]
    data.summarize(
        annotations, (classes, attributes, *values)
    )  # Refuses what cannot be trained at all.
    labelled = data.labelled_pair(annotations, classes, attributes)
    labelled.tally()  # Refuses attributes that are neither 0 nor 1.
    given, misfit = None, ""
    if relatedness is not None:
        try:
            given = relatedness.within(classes.labels, attributes.labels)
        except NothingSharedError as error:
            misfit = str(error)
        else:
            _require_occurring(given, labelled)
    found = find(labelled, given, learned, _parts(shares, labelled.sizes))
    outlook, reason = judge(found, misfit)
    coupling = None
    if outlook != "none":
        names = classes.name, attributes.name
        coupling = Coupling(*names, found.relatedness, learned=found.learned)
    more, recommended = value_advice(annotations, classes, values)
    return Advice(
        **vars(found),
        outlook=outlook,
        reason=reason,
        coupling=coupling,
        recommendation=[*recommendation(found, coupled=coupling is not None), *recommended],
        sections=[*sections(found), *more],
    )


def _parts(shares: Sequence[float] | None, sizes: tuple[int, ...]) -> tuple[float, ...]:
    parts = tuple(map(float, sizes if shares is None else shares))
    if len(parts) != len(sizes) or not all(math.isfinite(each) and each > 0 for each in parts):
        raise ValueError(
            f"shares must be one positive number per data set, {len(sizes)}, got {list(parts)}."
        )
    return tuple(each / sum(parts) for each in parts)


def _require_occurring(given: Relatedness, labelled: data.LabelledPair) -> None:
    counts = labelled.restrict(given.classes, given.attributes).class_counts()
    if not counts.any():
        raise ValueError(
            f"No image is labelled with a class of the relatedness, {list(given.classes)}: it has "
            "nothing to say about these data."
        )
    if given.prior is not None and (never := (counts > 0) & (given.prior == 0)).any():
        names = [given.classes[k] for k in np.flatnonzero(never)]
        raise ValueError(f"The relatedness gives the classes {names} prior 0, but they occur.")
