"""Couplings with a regression, from names: which relation, which tasks, which forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from absl import logging

from mtl_dm import data
from mtl_dm.losses import COUPLING_FORMS, LINEAR_FORMS
from mtl_dm.models import RelationCoupling
from mtl_dm.models.coupling import known_couplings
from mtl_dm.relatedness import (
    Linear,
    Moments,
    Relatedness,
    linear_from_annotations,
    moments_from_annotations,
    overall_moments,
)
from mtl_dm.spec import parse
from mtl_dm.tasks import Task
from mtl_dm.training.coupling_choice import CouplingChoice

_POOLED = 1.0
"""Images of the covariance within classes in that of a class that is counted on a data set."""
_USUAL = CouplingChoice(None, relation="")


def regression_pair(
    choice: CouplingChoice, tasks: Sequence[Task], relation: Any
) -> tuple[Task, Task] | None:
    """Return source and target of a coupling with a regression; None: it is another one.

    Args:
        choice: Names tasks, or leaves them out.
        tasks: The tasks to train.
        relation: What is given; None: it is to be learned or counted.

    Raises:
        ValueError: If there are no two tasks that fit.
    """
    named = {task.name: task for task in tasks}
    asked = choice.target is not None and named[choice.target].kind == "regression"
    if not asked and not isinstance(relation, (Moments, Linear)):
        return None
    kinds = ("multilabel",) if isinstance(relation, Linear) else ("multiclass",)
    if relation is None and choice.source is not None:
        kinds = ("multiclass", "multilabel")
    sources = tasks if choice.source is None else (named[choice.source],)
    targets = tasks if choice.target is None else (named[choice.target],)
    source = next((task for task in sources if task.kind in kinds), None)
    target = next((task for task in targets if task.kind == "regression"), None)
    kind = getattr(relation, "kind", None)
    if source is None or target is None or kind == "probabilities":
        raise ValueError(
            f"The coupling {choice.name or choice.relation!r} fits no two of the tasks "
            f"{ {task.name: task.kind for task in (*sources, *targets)} }"
            f"{'' if kind is None else f' by {kind}'}. There are: {known_couplings()}."
        )
    return source, target


def counted_relation(name: str, pair: tuple[Task, Task], data_dir: str) -> Moments | Linear:
    """Return what a data set that is annotated for both tasks says.

    Args:
        name: Of the data set.
        pair: Source and target.
        data_dir: Folder of built data sets.

    Raises:
        ValueError: If it lacks one of the two, or labels do not suffice.
    """
    source, target = pair
    arrays = data.label_arrays(name, data_dir=data_dir, tasks=pair, one_hot=False)
    missing = [task.name for task in pair if task.name not in arrays]
    if missing:
        raise ValueError(f"The data set {name!r} is not annotated for {missing}.")
    values = _with_nan(arrays[target.name])
    if source.kind == "multilabel":
        return linear_from_annotations(
            _with_nan(arrays[source.name]), values, attributes=source.labels, values=target.labels
        )
    ids = data.class_ids(*arrays[source.name])
    return moments_from_annotations(
        ids, values, classes=source.labels, values=target.labels, pooled=_POOLED
    )


def start_of_learning(
    names: Sequence[str], pair: tuple[Task, Task], data_dir: str
) -> Moments | Linear:
    """Return moments that are the same for every class, from the labels of all data sets.

    Args:
        names: Of the training data.
        pair: Source and target.
        data_dir: Folder of built data sets.

    Raises:
        ValueError: If the source has no classes, or labels do not suffice.
    """
    source, target = pair
    if source.kind != "multiclass":
        raise ValueError(
            f"Only moments are learned, of values given a class; {source.name!r} is "
            f"{source.kind}. Count a linear relation instead: inferred:NAME of a data set."
        )
    parts = []
    for name in names:
        arrays = data.label_arrays(name, data_dir=data_dir, tasks=(target,), one_hot=False)
        if target.name in arrays:
            parts.append(_with_nan(arrays[target.name]))
    return overall_moments(np.concatenate(parts), source.labels, target.labels)


def relation_coupling(
    choice: CouplingChoice, pair: tuple[Task, Task], relation: Moments | Linear, learned: bool
) -> RelationCoupling:
    """Return a coupling with a regression as a user asks for it.

    Args:
        choice: Factors and forms; those that matching and co-annotation have for attributes name
            those for values.
        pair: Source and target.
        relation: Of labels that the tasks may lack some of.
        learned: Whether it is a start that training replaces.

    Raises:
        ValueError: If a form does not exist for the relation, or parts do not fit each other.
    """
    source, target = pair
    name = choice.name or f"{source.name}_{target.name}"
    if choice.trust:
        raise ValueError(
            f"Coupling {name!r}: labels judge tables from classes to attributes (trust), not "
            f"{relation.kind}."
        )
    if isinstance(relation, Moments):
        relation = _within(relation, source, target)
    forms, options = _forms(name, choice, relation.kind)
    return RelationCoupling(
        name,
        source.name,
        target.name,
        relation,
        forms,
        options,
        choice.gate,
        choice.rule,
        learned,
    )


def is_own(relation: Any) -> bool:
    """Return whether a relation is of a kind that a file of the user's registers."""
    return relation is not None and not isinstance(relation, (Relatedness, Moments, Linear))


def own_coupling(
    choice: CouplingChoice, tasks: Sequence[Task], relation: Any, learned: bool
) -> RelationCoupling:
    """Return a coupling by a relation of the user's own kind, with all forms that take it.

    Args:
        choice: Tasks, where they are named, the factor `matching` of every form, gate and rule.
        tasks: The tasks to train.
        relation: Its `sides` say between which kinds of task it stands.
        learned: Whether it shall be a start that training replaces.

    Raises:
        ValueError: If no two tasks or no form fits, or something is chosen that such a coupling
            does not have.
    """
    name, kind = choice.name or choice.relation.partition("(")[0], relation.kind
    for field in ("co_annotation", "matching_form", "co_annotation_form", "trust"):
        if getattr(choice, field) != getattr(_USUAL, field):
            raise ValueError(
                f"Coupling {name!r}: a relation of the kind {kind!r} has all forms that are "
                f"registered for it, with the factor matching; leave {field} out."
            )
    forms = [form for form in COUPLING_FORMS if kind in COUPLING_FORMS.get(form).kinds]
    if not forms or learned:
        why = "is not learned" if forms else "has no form: register one by coupling_form"
        raise ValueError(f"Coupling {name!r}: a relation of the kind {kind!r} {why}.")
    pair = [
        next((task for task in tasks if task.kind == side and asked in (None, task.name)), None)
        for (_, side), asked in zip(relation.sides, (choice.source, choice.target), strict=True)
    ]
    source, target = pair
    if source is None or target is None:
        raise ValueError(
            f"The coupling {name!r} fits no two of the tasks "
            f"{ {task.name: task.kind for task in tasks} } by {kind}. "
            f"There are: {known_couplings()}."
        )
    factors = dict.fromkeys(forms, choice.matching)
    return RelationCoupling(
        name, source.name, target.name, relation, factors, gate=choice.gate, rule=choice.rule
    )


def _forms(
    name: str, choice: CouplingChoice, kind: str
) -> tuple[dict[str, float | None], dict[str, Mapping[str, float]]]:
    """Return factors and options by the full names of forms."""
    if kind == "linear":
        for field in ("co_annotation", "co_annotation_form"):
            if getattr(choice, field) not in (getattr(_USUAL, field), 0.0):
                raise ValueError(
                    f"Coupling {name!r}: a linear relation has one term, whose factor is matching "
                    f"and whose form is matching_form; leave {field} out."
                )
        if choice.matching_form == _USUAL.matching_form:
            return {"linear_matching": choice.matching}, {}
        spec = parse(choice.matching_form)
        form = LINEAR_FORMS.full(spec.name)
        return {form: choice.matching}, {form: spec.options}
    forms: dict[str, float | None] = {}
    options = {}
    for field in ("matching", "co_annotation"):
        spec = parse(getattr(choice, f"{field}_form"))
        form = f"moment_{field}/{spec.name}"
        forms[form], options[form] = getattr(choice, field), spec.options
    return forms, options


def _within(relation: Moments, source: Task, target: Task) -> Moments:
    unknown = [name for name in relation.classes if name not in source.positions]
    unknown += [name for name in relation.values if name not in target.positions]
    if not unknown:
        return relation
    logging.warning("The moments name labels that no task has, left out: %s.", unknown)
    return relation.within(source.labels, target.labels)


def _with_nan(arrays: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    labels, mask = arrays
    return np.where(mask > 0, labels, np.nan)
