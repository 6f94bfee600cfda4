"""Logs of how the terms are balanced: their weights, and the cosines between their gradients."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

MOST_TERMS = 12
WEIGHT, COSINE = "_weight", "_cosine"


def trackers_of(names: Sequence[str], *, cosines: bool = True) -> dict[str, keras.metrics.Mean]:
    """Return a mean for each weight, "<term>_weight", and each pair, "<term>_and_<term>_cosine".

    Args:
        names: Of the terms that are balanced.
        cosines: Whether pairs are logged.

    Raises:
        ValueError: If there are more than `MOST_TERMS`: nobody reads as many pairs.
    """
    if cosines and len(names) > MOST_TERMS:
        raise ValueError(
            f"Gradients are logged for at most {MOST_TERMS} balanced terms, these are "
            f"{len(names)}. Leave log_gradients away, or balance the tasks alone."
        )
    logged = [f"{name}{WEIGHT}" for name in names]
    if cosines:
        logged += [f"{one}_and_{other}{COSINE}" for one, other in itertools.combinations(names, 2)]
    return {name: keras.metrics.Mean(name=name, dtype="float32") for name in logged}


def cosines_of(gram: Any) -> tuple[Any, Any]:
    """Return the cosines [T, T] between vectors, and 1 where both have a length, else 0.

    Args:
        gram: [T, T], their inner products.
    """
    lengths = ops.sqrt(ops.maximum(ops.diagonal(gram), 0.0))
    moves = ops.cast(ops.logical_and(lengths > 0, ops.isfinite(lengths)), "float32")
    both = moves[:, None] * moves[None, :]
    product = lengths[:, None] * lengths[None, :]
    return ops.where(both > 0, gram / ops.where(both > 0, product, 1.0), 0.0), both


def log(
    trackers: dict[str, keras.metrics.Mean],
    names: Sequence[str],
    weights: Any,
    gram: Any,
    usable: Any = True,
) -> None:
    """Update the means with a step.

    Args:
        trackers: Of `trackers_of`.
        names: Likewise.
        weights: [T]; None: all 1.
        gram: [T, T]; None: weights alone are logged.
        usable: Whether the gradients are finite; what is made of others, a step that is not
            taken, is not logged.
    """
    weights = ops.ones((len(names),)) if weights is None else weights
    counts = ops.cast(usable, "float32")
    for place, name in enumerate(names):
        trackers[f"{name}{WEIGHT}"].update_state(weights[place], sample_weight=counts)
    if gram is None:
        return
    cosines, both = cosines_of(gram)
    for (i, one), (j, other) in itertools.combinations(enumerate(names), 2):
        tracker = trackers[f"{one}_and_{other}{COSINE}"]
        tracker.update_state(cosines[i, j], sample_weight=counts * both[i, j])
