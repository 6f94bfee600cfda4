"""P(attribute | class) three times: told to the coupling, predicted, and counted in the labels.

Shapes: K classes, M attributes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mtl_dm.measuring.predictions import Predictions
from mtl_dm.measuring.rounding import numbers
from mtl_dm.relatedness import Relatedness, implied_conditional

Table = dict[str, Any]
"""Names and numbers as `conditionals` returns them, JSON values."""


def of_first(found: Mapping[str, Predictions], couplings: Sequence[Any]) -> Table | None:
    """Return the table of the first coupling, or without one of the first tasks of both kinds.

    Args:
        found: Labels and predictions by task name.
        couplings: `mtl_dm.models.Coupling`s of the models.
    """
    for coupling in couplings:
        source, target, relatedness = _parts(coupling)
        if relatedness is not None:
            return conditionals(found.get(source), found.get(target), relatedness)
    first = {each.task.kind: each for each in reversed(list(found.values()))}
    return conditionals(first.get("multiclass"), first.get("multilabel"), None)


def of_couplings(found: Mapping[str, Predictions], couplings: Sequence[Any]) -> dict[str, Table]:
    """Return the table of every coupling from classes to attributes, by the coupling's name.

    A coupling without a name of its own is called after its tasks; of several that share a name
    the later ones get a number.

    Args:
        found: Labels and predictions by task name.
        couplings: `mtl_dm.models.Coupling`s of the models.

    Returns:
        As `conditionals`, and the tasks "source" and "target". Couplings of other kinds, and of
        tasks that are not annotated or have too many classes, are left out.
    """
    tables: dict[str, Table] = {}
    for coupling in couplings:
        source, target, relatedness = _parts(coupling)
        table = conditionals(found.get(source), found.get(target), relatedness)
        if table is not None and relatedness is not None:
            name = getattr(coupling, "name", "") or f"{source}_{target}"
            tables[_free(name, tables)] = {"source": source, "target": target, **table}
    return tables


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
        "prior": _prior(relatedness, classes, attributes),
        "implied": numbers(implied),
        "observed": numbers(observed),
    }


def _prior(relatedness: Relatedness | None, classes: Predictions, attributes: Predictions) -> Any:
    """Return the table over all labels of the tasks, null where it says nothing."""
    if relatedness is None:
        return None
    whole = np.full((classes.task.size, attributes.task.size), np.nan)
    rows = [classes.task.labels.index(name) for name in relatedness.classes]
    places = [attributes.task.labels.index(name) for name in relatedness.attributes]
    whole[np.ix_(rows, places)] = relatedness.conditional
    return numbers(whole)


def _parts(coupling: Any) -> tuple[str, str, Relatedness | None]:
    """Return a coupling's tasks and its P(attribute | class), None for relations of other kinds."""
    source = getattr(coupling, "source", None) or coupling.classes
    target = getattr(coupling, "target", None) or coupling.attributes
    relation = getattr(coupling, "relation", None) or coupling.relatedness
    return source, target, relation if isinstance(relation, Relatedness) else None


def _free(name: str, taken: Mapping[str, Any]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free
