"""P(attribute | class): told to the coupling, learned by it, predicted, counted in the labels.

Shapes: K classes, M attributes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from mtl_dm.measuring.predictions import Predictions
from mtl_dm.measuring.rounding import number, numbers
from mtl_dm.models import MultiTaskModel
from mtl_dm.models.coupling import AnyCoupling
from mtl_dm.models.live_moments import Live
from mtl_dm.relatedness import Relatedness, implied_conditional

Table = dict[str, Any]
"""Names and numbers as `conditionals` returns them, JSON values."""


class Told(NamedTuple):
    """A coupling of a model, and what stands for its relation where training may replace it."""

    coupling: AnyCoupling
    live: Live | None = None


def told_by(model: MultiTaskModel) -> list[Told]:
    """Return the couplings of a model."""
    return [
        Told(coupling, model.live_relatedness.get(str(index)))
        for index, coupling in enumerate(model.couplings)
    ]


def of_first(found: Mapping[str, Predictions], couplings: Sequence[Told]) -> Table | None:
    """Return the table of the first coupling, or without one of the first tasks of both kinds.

    Args:
        found: Labels and predictions by task name.
        couplings: Of the models.
    """
    for told in couplings:
        if isinstance(told.coupling.relation, Relatedness):
            return _of(found, told)
    first = {each.task.kind: each for each in reversed(list(found.values()))}
    return conditionals(first.get("multiclass"), first.get("multilabel"), None)


def of_couplings(found: Mapping[str, Predictions], couplings: Sequence[Told]) -> dict[str, Table]:
    """Return the table of every coupling from classes to attributes, by the coupling's name.

    A coupling without a name of its own is called after its tasks; of several that share a name
    the later ones get a number.

    Args:
        found: Labels and predictions by task name.
        couplings: Of the models.

    Returns:
        As `conditionals`, with "learned", [K, M], where training replaced the relatedness, and
        "confirmed", the share of it that labels confirm, where they judged it; and the tasks
        "source" and "target". Couplings of other kinds, and of tasks that are not annotated or have
        too many classes, are left out.
    """
    tables: dict[str, Table] = {}
    for told in couplings:
        coupling = told.coupling
        table = _of(found, told)
        if table is not None and isinstance(coupling.relation, Relatedness):
            name = coupling.name or f"{coupling.source}_{coupling.target}"
            own = {"source": coupling.source, "target": coupling.target}
            tables[_free(name, tables)] = {**own, **table}
    return tables


def _of(found: Mapping[str, Predictions], told: Told) -> Table | None:
    coupling, live = told
    classes, attributes = found.get(coupling.source), found.get(coupling.target)
    given = coupling.relation if isinstance(coupling.relation, Relatedness) else None
    table = conditionals(classes, attributes, given)
    if table is None or classes is None or attributes is None or live is None:
        return table
    learned = live.value()
    if isinstance(learned, Relatedness) and learned is not given:
        table["learned"] = _whole(learned, classes, attributes)
    if live.confirmed is not None:
        table["confirmed"] = number(live.confirmed)
    return table


def conditionals(
    classes: Predictions | None, attributes: Predictions | None, relatedness: Relatedness | None
) -> Table | None:
    """Return P(attribute | class) of a pair of tasks.

    Args:
        classes: Of a multiclass task; None: the data are not annotated for it.
        attributes: Of a multilabel task, likewise.
        relatedness: What the coupling was told, None without one.

    Returns:
        "classes" and "attributes" by name, "left_out" attributes that are not scored, and [K, M]
        each: "prior" (None without a coupling), "implied" by the predictions and "observed" in
        the labels. None where there is nothing to compare or the classes are too many.
    """
    if classes is None or attributes is None or classes.classes is None:
        return None
    if attributes.task.kind != "multilabel":
        return None
    one_hot = (classes.labels[:, None] == np.arange(classes.task.size)) * classes.mask[:, None]
    implied = implied_conditional(classes.classes, attributes.probabilities)
    observed = implied_conditional(one_hot, attributes.labels, attributes.mask)
    return {
        "classes": list(classes.task.labels),
        "attributes": list(attributes.task.labels),
        "left_out": [
            name
            for name, scored in zip(attributes.task.labels, attributes.scored, strict=True)
            if not scored
        ],
        "prior": None if relatedness is None else _whole(relatedness, classes, attributes),
        "implied": numbers(implied),
        "observed": numbers(observed),
    }


def _whole(relatedness: Relatedness, classes: Predictions, attributes: Predictions) -> Any:
    """Return the table over all labels of the tasks, null where it says nothing."""
    whole = np.full((classes.task.size, attributes.task.size), np.nan)
    rows = [classes.task.positions[name] for name in relatedness.classes]
    places = [attributes.task.positions[name] for name in relatedness.attributes]
    whole[np.ix_(rows, places)] = relatedness.conditional
    return numbers(whole)


def _free(name: str, taken: Mapping[str, Any]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free
