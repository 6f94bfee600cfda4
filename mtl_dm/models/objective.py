"""From loss terms to the objective: parts of a replica, what a balancing method sees, their sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from keras import ops

from mtl_dm.balancing import Balancing, Seen
from mtl_dm.losses import weighted_mean
from mtl_dm.losses.reduction import global_sum
from mtl_dm.models.terms import Term


def parts_of(terms: Mapping[str, Term]) -> dict[str, Any]:
    """Return this replica's part of every term, times its factor; the replicas' sum is the term.

    A term within another one is added to that.
    """
    parts: dict[str, Any] = {}
    for name, term in terms.items():
        part = term.factor * weighted_mean(term.values, term.weights)
        whole = term.within or name
        parts[whole] = parts[whole] + part if whole in parts else part
    return parts


def balanced_names(balancing: Balancing, terms: Mapping[str, Term]) -> list[str]:
    """Return the terms that a method gives weights to; the others count as they are."""
    return [name for name in terms if name in balancing.names]


def seen_of(
    balancing: Balancing,
    names: Sequence[str],
    terms: Mapping[str, Term],
    parts: Mapping[str, Any],
    gram: Any = None,
    features: Any = None,
) -> Seen:
    """Return what a balancing method sees of a step, over the global batch."""
    features = features if balancing.uses_features else None
    if not balancing.wants_losses:
        return Seen(tuple(names), None, None, None, features)
    losses = [global_sum(ops.stop_gradient(parts[name])) for name in names]
    present = [_present(terms[name]) for name in names]
    return Seen(tuple(names), ops.stack(losses), ops.stack(present), gram, features)


def _present(term: Term) -> Any:
    weight = global_sum(ops.sum(term.weights))
    acts = ops.logical_and(weight > 0, ops.convert_to_tensor(term.factor) > 0)
    return ops.cast(ops.stop_gradient(ops.cast(acts, "float32")), "float32")


def objective_of(balancing: Balancing, parts: Mapping[str, Any], seen: Seen | None) -> Any:
    """Return this replica's part of the objective: the weighted sum of the parts and the own loss.

    Args:
        balancing: The method.
        parts: Of all terms.
        seen: Of the terms that the method balances; None: every weight is 1.
    """
    if seen is None:
        return sum(parts.values())
    weights = balancing.balance(seen)
    place = {name: index for index, name in enumerate(seen.names)}
    objective = sum(
        part if weights is None or name not in place else weights[place[name]] * part
        for name, part in parts.items()
    )
    own = balancing.added_loss(seen)
    # The same on every replica: their parts must sum to one of it.
    return objective if own is None else objective + weighted_mean(own, ops.ones((), "float32"))
