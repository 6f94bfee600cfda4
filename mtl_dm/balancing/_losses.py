"""What the methods have in common that weigh terms by their losses.

Shapes: T terms.
"""

from __future__ import annotations

from typing import Any

from keras import ops

EPSILON = 1e-8
"""Added to a loss of which the logarithm or the inverse is taken, as FAMO's authors do."""


def with_logarithm(losses: Any, present: Any) -> Any:
    """Return [T], 1 for terms that are present and have a loss above 0.

    A loss of 0 has nothing left to fall, but its inverse would take all the weight, or its product
    leave none; a negative one has no logarithm.

    Args:
        losses: [T].
        present: [T], 1 for terms that take part.
    """
    return present * ops.cast(losses > 0, "float32")


def positive(losses: Any) -> Any:
    """Return L + epsilon, and epsilon where a loss is negative.

    Args:
        losses: [T].
    """
    return ops.maximum(losses, 0.0) + EPSILON


def shares(scores: Any, present: Any) -> Any:
    """Return the softmax over the terms that are present, 0 for the others.

    Args:
        scores: [T], finite.
        present: [T], 1 for terms that take part.

    Returns:
        [T] with sum 1; all 0 where none takes part.
    """
    here = present > 0
    top = ops.max(ops.where(here, scores, -float("inf")))
    sizes = ops.exp(ops.where(here, scores - top, -float("inf")))
    # At least 1 where any is present.
    return sizes / ops.maximum(ops.sum(sizes), 1.0)


def running_mean(mean: Any, count: Any, losses: Any, present: Any) -> tuple[Any, Any]:
    """Return the means and counts after one more batch; those of absent terms stay.

    A mean, not a sum: float32 loses the small parts of a sum over a long epoch.

    Args:
        mean: [T].
        count: [T], of the batches in it.
        losses: [T], of the batch.
        present: [T], 1 for terms that take part.
    """
    count = count + present
    return mean + present * (losses - mean) / ops.maximum(count, 1.0), count
