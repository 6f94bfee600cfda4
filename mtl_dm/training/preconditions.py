"""Where a coupling has something to act on: what the labels alone say, before training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mtl_dm.data import Annotations, labelled_pair
from mtl_dm.models import Coupling
from mtl_dm.tasks import Task

_NOTHING_MISSING = "every image is labelled for both tasks"
_NO_ATTRIBUTE_MISSING = "no attribute label is missing, so that its factor is 0"
_NO_CLASS_MISSING = "no image with attribute labels lacks its class"
_NO_ATTRIBUTE = "no attribute that it covers is labelled"

STOPS: Mapping[str, Mapping[str, str]] = {
    "matching": {"js": _NOTHING_MISSING, "conditional": _NOTHING_MISSING},
    "co_annotation": {
        "posterior": _NO_CLASS_MISSING,
        "posterior_distillation": _NO_CLASS_MISSING,
        "paper": _NO_ATTRIBUTE,
        "distillation": _NO_ATTRIBUTE,
    },
}
"""By term and form, what leaves it nothing to act on. A form that is not listed always acts."""
RULE_STOPS: Mapping[str, str] = {"conditional": _NO_ATTRIBUTE_MISSING}
"""What does so besides where the rule chooses the factor."""


def concerns(
    annotations: Sequence[Annotations], coupling: Coupling, tasks: Sequence[Task]
) -> list[str]:
    """Return a line for each term that cannot act and for labels that nothing but it teaches.

    Args:
        annotations: Per source, labels and masks by task name (`mtl_dm.data.label_arrays`).
        coupling: The coupling, which fits the tasks.
        tasks: The tasks.

    Raises:
        ValueError: If a source has no task at all, or labels are to judge the relatedness
            (`trust=True`) and there are none of its classes or of its attributes.
    """
    by_name = {task.name: task for task in tasks}
    names = coupling.relatedness.classes, coupling.relatedness.attributes
    every = labelled_pair(annotations, by_name[coupling.classes], by_name[coupling.attributes])
    seen = every.restrict(*names)
    covered = seen.has_class | ~every.has_class
    has_class, attributes = seen.has_class[covered], seen.mask[covered]
    holds = {
        _NOTHING_MISSING: has_class.all() and attributes.all(),
        _NO_ATTRIBUTE_MISSING: attributes.all(),
        _NO_CLASS_MISSING: has_class[attributes.any(axis=1)].all(),
        _NO_ATTRIBUTE: not attributes.any(),
    }
    found = []
    unjudged = _unjudged(coupling, has_class.any(), attributes.any())
    if unjudged is not None:
        found.append(unjudged)
    for term, title in (
        ("matching", "distribution matching"),
        ("co_annotation", "soft co-annotation"),
    ):
        factor, form = getattr(coupling, term), getattr(coupling, f"{term}_form")
        asked = [STOPS[term].get(form), RULE_STOPS.get(form) if factor is None else None]
        stops = [stop for stop in asked if stop is not None and holds[stop]]
        if factor != 0 and stops:
            found.append(f"The {title} ({form}) has nothing to act on: {stops[0]}.")
    counts = seen.class_counts(), seen.mask.sum(axis=0)
    for task, labels, images in zip(
        (coupling.classes, coupling.attributes), names, counts, strict=True
    ):
        never = [name for name, number in zip(labels, images, strict=True) if not number]
        if never:
            found.append(
                f"No training image is labelled with {never} of {task!r}: the coupling alone "
                "teaches them."
            )
    return found


def _unjudged(coupling: Coupling, classes: bool, attributes: bool) -> str | None:
    """Return why labels cannot judge a relatedness that they are to judge, where they cannot."""
    if not coupling.trusts or (classes and attributes):
        return None
    task = coupling.attributes if classes else coupling.classes
    lacking = f"no training image is labelled for the labels of {task!r} that it names"
    called = f"The coupling of {coupling.classes!r} and {coupling.attributes!r}"
    if coupling.trust:
        raise ValueError(
            f"{called} has trust=True, by which labels judge its relatedness, but {lacking}. "
            "Leave trust out to believe it as given."
        )
    return f"{called}: its relatedness is not judged, but believed as given: {lacking}."
