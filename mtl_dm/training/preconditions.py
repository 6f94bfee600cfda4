"""Where a coupling has something to act on: what the labels alone say, before training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mtl_dm.data.summary import Annotations, class_ids
from mtl_dm.models import Coupling
from mtl_dm.tasks import Task


class Coverage(NamedTuple):
    """What the images that a coupling covers are labelled for.

    Attributes:
        classes: bool [N], whether the class is labelled.
        attributes: bool [N, M], whether each attribute is.
    """

    classes: np.ndarray
    attributes: np.ndarray


def _attribute_missing(seen: Coverage) -> bool:
    return not seen.attributes.all()


def _anything_missing(seen: Coverage) -> bool:
    return not (seen.classes.all() and seen.attributes.all())


def _attributes_without_class(seen: Coverage) -> bool:
    return bool((seen.attributes.any(axis=1) & ~seen.classes).any())


def _some_attribute(seen: Coverage) -> bool:
    return bool(seen.attributes.any())


Need = tuple[Callable[[Coverage], bool], str]

NEEDS: Mapping[str, Need] = {
    "js": (_anything_missing, "every image is labelled for both tasks"),
    "conditional": (_anything_missing, "every image is labelled for both tasks"),
    "posterior": (_attributes_without_class, "no image with attribute labels lacks its class"),
    "posterior_distillation": (
        _attributes_without_class,
        "no image with attribute labels lacks its class",
    ),
    "paper co-annotation": (_some_attribute, "no attribute that it covers is labelled"),
    "distillation": (_some_attribute, "no attribute that it covers is labelled"),
}
"""By form, what it needs to teach anything, and how to say that it is not there. A form that is
not listed (`paper` and `batch` matching, for example) always acts."""

BY_RULE: Mapping[str, Need] = {
    "conditional": (_attribute_missing, "no attribute label is missing, so that its factor is 0"),
}
"""What a form needs besides where the rule chooses its factor."""


def concerns(
    annotations: Sequence[Annotations], coupling: Coupling, tasks: Sequence[Task]
) -> list[str]:
    """Return a line for each term that cannot act and for labels that nothing but it teaches.

    Args:
        annotations: Per source, labels and masks by task name (`mtl_dm.data.label_arrays`).
        coupling: The coupling, which fits the tasks.
        tasks: The tasks.
    """
    seen, class_counts = _labelled(annotations, coupling, {task.name: task for task in tasks})
    found = []
    for term, factor, form, key in (
        (
            "distribution matching",
            coupling.matching,
            coupling.matching_form,
            coupling.matching_form if coupling.matching_form != "paper" else "",
        ),
        (
            "soft co-annotation",
            coupling.co_annotation,
            coupling.co_annotation_form,
            "paper co-annotation"
            if coupling.co_annotation_form == "paper"
            else coupling.co_annotation_form,
        ),
    ):
        needs = [NEEDS.get(key), BY_RULE.get(key) if factor is None else None]
        missing = [need[1] for need in needs if need is not None and not need[0](seen)]
        if factor != 0 and missing:
            found.append(f"The {term} ({form}) has nothing to act on: {missing[0]}.")
    never = {
        coupling.classes: _without(coupling.relatedness.classes, class_counts),
        coupling.attributes: _without(coupling.relatedness.attributes, seen.attributes.sum(axis=0)),
    }
    found += [
        f"No training image is labelled with {names} of {task!r}: the coupling alone teaches them."
        for task, names in never.items()
        if names
    ]
    return found


def _without(names: Sequence[str], counts: np.ndarray) -> list[str]:
    return [name for name, number in zip(names, counts, strict=True) if not number]


def _labelled(
    annotations: Sequence[Annotations], coupling: Coupling, tasks: Mapping[str, Task]
) -> tuple[Coverage, np.ndarray]:
    """Return what covered images are labelled for, and the images of each class, [K]."""
    relatedness = coupling.relatedness
    k = [tasks[coupling.classes].labels.index(name) for name in relatedness.classes]
    m = [tasks[coupling.attributes].labels.index(name) for name in relatedness.attributes]
    classes, attributes, counts = [], [], np.zeros(len(k))
    for source in annotations:
        size = len(next(iter(source.values()))[1])
        known, covered = np.zeros(size, bool), np.ones(size, bool)
        if coupling.classes in source:
            ids = class_ids(*source[coupling.classes])
            known = ids >= 0
            covered = ~known | np.isin(ids, k)
            counts += np.bincount(ids[known], minlength=tasks[coupling.classes].size)[k]
        present = np.zeros((size, len(m)), bool)
        if coupling.attributes in source:
            present = source[coupling.attributes][1][:, m] > 0
        classes.append(known[covered])
        attributes.append(present[covered])
    return Coverage(np.concatenate(classes), np.concatenate(attributes)), counts
