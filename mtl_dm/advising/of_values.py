"""Advice where the tasks are classes and real values: whether their moments should be coupled."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mtl_dm import data
from mtl_dm.advising.rules import Outlook
from mtl_dm.advising.text import Section, Told
from mtl_dm.advising.values import HARDLY_ANY, Values, look, value_advice
from mtl_dm.tasks import Task


@dataclasses.dataclass(frozen=True)
class ValueAdvice(Told):
    """What labels alone say of coupling a class with real values; `print` shows it.

    Attributes:
        classes: The multiclass task.
        values: The regressions.
        outlook: "open": labels cannot show whether it helps; "none": it will not.
        reason: Why; Markdown with `code` and **strong** only, as all texts.
        couplings: What to train with, as texts of `--coupling`; none where none will help.
        recommendation: What to do, and why, a line a choice.
        sections: What stands behind it.
    """

    classes: Task
    values: tuple[Task, ...]
    outlook: Outlook
    reason: str
    couplings: Sequence[str]
    recommendation: Sequence[str]
    sections: Sequence[Section]


def advise_values(
    annotations: Sequence[data.Annotations], tasks: Sequence[Task], names: Sequence[str] = ()
) -> ValueAdvice:
    """Return what labels say about coupling the first multiclass task with each regression.

    Args:
        annotations: Per data set, labels and masks by task name (`mtl_dm.data.label_arrays`).
        tasks: The tasks to train.
        names: Of the data sets, for the couplings that are counted on one of them; none: they are
            to be learned.

    Raises:
        ValueError: If there is no multiclass task or no regression, a task has no annotated image
            or one class only, or a value is beyond its bounds.
    """
    classes = next((task for task in tasks if task.kind == "multiclass"), None)
    values = tuple(task for task in tasks if task.kind == "regression")
    if classes is None or not values:
        raise ValueError(
            "Advice needs a multiclass task and a multilabel task or a regression beside it, got "
            f"{ {task.name: task.kind for task in tasks} }."
        )
    data.summarize(annotations, (classes, *values))  # Refuses what cannot be trained at all.
    found = [look(annotations, classes, task) for task in values]
    outlook, reason = _judge(found)
    sections, recommended = value_advice(annotations, classes, values)
    couplings = [
        _coupling(classes, each, annotations, names) for each in found if each.relation != "none"
    ]
    return ValueAdvice(classes, values, outlook, reason, couplings, recommended, sections)


def _judge(found: Sequence[Values]) -> tuple[Outlook, str]:
    shares = np.concatenate([each.explained for each in found])
    if np.isnan(shares).all():
        return "open", (
            "Too few images have a class and a value: labels alone cannot show how they belong "
            "together, training would have to learn it."
        )
    most = float(np.nanmax(shares))
    if most < HARDLY_ANY:
        return "none", (
            f"Less than {HARDLY_ANY:.0%} of any value's variance lies between classes: whatever a "
            "coupling says, it would teach noise."
        )
    return "open", (
        f"Up to {most:.0%} of a value's variance lies between classes. Whether a coupling "
        "helps is for validation data to say: on drawn faces it raised the CCC of valence and "
        "arousal, and cost a compact CNN accuracy of expressions."
    )


def _coupling(
    classes: Task, found: Values, annotations: Sequence[data.Annotations], names: Sequence[str]
) -> str:
    """Return a coupling by moments, counted on the first data set that allows it, else learned."""
    relation = "learned"
    for name, arrays in zip(names, annotations, strict=bool(names)):
        if look([arrays], classes, found.task).relation == "counted":
            relation = f"inferred:{name}"
            break
    named = f"{classes.name}_{found.task.name}"
    return f"{named}(relation={relation}, source={classes.name}, target={found.task.name})"
