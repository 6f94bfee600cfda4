"""Directions that missing labels do not bend: in expectation that of fully annotated batches.

A term i is present in a batch with probability q_i, its label rate. Plain sums then follow
sum_i q_i w_i g_i: what is annotated rarely counts little, whatever the weights say. With weights

    v_i = p_i w_i / q_i,        p_i = 1 where term i is present, else 0,

and w chosen from earlier batches alone, as if every term were present, the expectation over which
labels a batch has is E[sum_i v_i g_i] = sum_i w_i g_i, the fully annotated direction, whether the
tasks' labels come together or never do; of the heads too. The price is variance, most for rare
tasks.

That is for w as the method has it by then. What it has learned of earlier steps is of batches as
they were, or of whole ones where it chooses among the terms (`Balancing.learns_whole`).

Shapes: T terms.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from keras import ops

from mtl_dm.balancing._seen import Seen

RATE_WINDOW = 1000.0
"""Steps over which label rates are running means."""
WINDOW = 20.0
"""Present batches over which losses and inner products are: gradients change as training goes."""


@dataclasses.dataclass(frozen=True)
class Known:
    """What earlier batches said; means start at 0 and are those of `count` values.

    Attributes:
        rates: [T], label rates, means over `steps` [1].
        steps: [1].
        losses: [T], means over `counts` [T] present batches.
        counts: [T].
        gram: [T, T], means over `pairs` [T, T] batches in which both are present; None for a
            method that sees no gradients.
        pairs: [T, T], likewise.
    """

    rates: Any
    steps: Any
    losses: Any
    counts: Any
    gram: Any = None
    pairs: Any = None


def running_mean(mean: Any, count: Any, value: Any, present: Any, window: float) -> tuple[Any, Any]:
    """Return a mean with one more value, where there is one, and its count, at most the window.

    Args:
        mean: Of `count` values.
        count: In the same shape.
        value: The new one.
        present: 1 where there is one, else 0.
        window: Beyond as many values the oldest fade.
    """
    more = ops.minimum(count + present, window)
    step = present / ops.maximum(more, 1.0)
    return mean + step * (ops.where(present > 0, value, mean) - mean), more


def after(known: Known, seen: Seen) -> Known:
    """Return what is known after a batch."""
    present = seen.present
    every = ops.ones_like(known.steps)
    rates, steps = running_mean(known.rates, known.steps, present, every, RATE_WINDOW)
    losses, counts = running_mean(known.losses, known.counts, seen.losses, present, WINDOW)
    if seen.gram is None or known.gram is None:
        return Known(rates, steps, losses, counts, known.gram, known.pairs)
    both = present[:, None] * present[None, :]
    gram, pairs = running_mean(known.gram, known.pairs, seen.gram, both, WINDOW)
    return Known(rates, steps, losses, counts, gram, pairs)


def whole(known: Known, seen: Seen) -> Seen:
    """Return a batch as if every term that was ever present were in it.

    Of a term's first batch its own values count, since there are no earlier ones. Terms that were
    never present together count as orthogonal, and what makes the matrix of means indefinite
    (means of different batches may) is taken from it.

    Args:
        known: Before the batch.
        seen: The batch.
    """
    new = after(known, seen)
    first = known.counts <= 0
    losses = ops.where(first, new.losses, known.losses)
    present = ops.cast(new.counts > 0, "float32")
    gram = seen.gram
    if gram is not None and known.gram is not None:
        gram = positive(ops.where(known.pairs <= 0, new.gram, known.gram))
    return Seen(seen.names, losses, present, gram, seen.features)


def inverse_rates(known: Known, seen: Seen) -> Any:
    """Return p_i / q_i, [T], 0 where a term is absent, with the rates before the batch.

    A term's first batch counts as it is: one in so many steps is no rate yet, and its weight would
    be their number.
    """
    rates = ops.where(known.counts <= 0, 1.0, known.rates)
    return ops.where(seen.present > 0, seen.present / ops.maximum(rates, 1e-6), 0.0)


def positive(matrix: Any) -> Any:
    """Return the nearest positive semidefinite matrix to a symmetric one [T, T]."""
    values, vectors = ops.eigh((matrix + ops.transpose(matrix)) / 2.0)
    return ops.matmul(vectors * ops.maximum(values, 0.0), ops.transpose(vectors))
