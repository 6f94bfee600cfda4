"""Real images and virtual ones, blended from them, in one batch: how much each part counts.

A batch that holds both (`mtl_dm.data.mixing`) says so by a label of its own, `VIRTUAL`: 1 on
virtual rows, 0 on real ones. Its mask is no mask: it is the weight of the part that a row is of.

Shapes: B images of this replica.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from keras import ops

from mtl_dm.losses.reduction import global_sum

VIRTUAL = "virtual"
"""Name of the label."""


class Mixed(NamedTuple):
    """The two parts of a batch.

    Attributes:
        virtual: [B], 1 on virtual rows, 0 on real ones.
        weights: [B], weight of the part that a row is of: w_v or w_r.
    """

    virtual: Any
    weights: Any

    @property
    def real(self) -> Any:
        """1 on real rows, 0 on virtual ones, [B]."""
        return 1.0 - self.virtual

    def weight_of(self, rows: Any) -> Any:
        """Return the weight of a part, a scalar; 0 where the global batch has no row of it.

        Args:
            rows: [B], 1 on its rows.
        """
        count = global_sum(ops.sum(rows))
        return global_sum(ops.sum(rows * self.weights)) / ops.maximum(count, 1.0)


def mixed_in(labels: Mapping[str, Any], masks: Mapping[str, Any]) -> Mixed | None:
    """Return the parts of a batch by its labels and masks; None: all its rows are real."""
    if VIRTUAL not in labels:
        return None
    return Mixed(ops.cast(labels[VIRTUAL], "float32"), ops.cast(masks[VIRTUAL], "float32"))


def in_parts(weights: Any, mixed: Mixed) -> tuple[Any, Any]:
    """Return weights and a factor by which a weighted mean becomes the sum of two.

    With v the virtual rows and r the real ones, each mean over the global batch,

        factor * mean(values, result) = w_v mean_v(values, weights) + w_r mean_r(values, weights).

    However few virtual rows are annotated, they count with w_v as a whole. A part without any
    weight adds nothing.

    Args:
        weights: [B] >= 0, of the values of a term.
        mixed: The parts.

    Returns:
        [B] and a scalar, the same on every replica.
    """
    of_virtual = global_sum(ops.sum(weights * mixed.virtual))
    of_real = global_sum(ops.sum(weights * mixed.real))
    total = ops.where(mixed.virtual > 0, of_virtual, of_real)
    result = weights * mixed.weights / ops.where(total > 0, total, 1.0)
    return result, global_sum(ops.sum(result))


def batch_value_in_parts(
    loss: Callable[[Any], tuple[Any, Any]], mask: Any, mixed: Mixed
) -> tuple[Any, Any, Any]:
    """Return a loss that has one value a batch, computed for each part by itself.

    Args:
        loss: From a mask to a scalar and its weight, both the same on every replica.
        mask: [B] or [B, M], of the whole batch.
        mixed: The parts.

    Returns:
        Value, weight and factor, scalars: factor * value = w_v loss_v + w_r loss_r.
    """
    values, weights = [], []
    for rows in (mixed.virtual, mixed.real):
        mask_of_part = mask * ops.reshape(rows, (-1,) + (1,) * (len(mask.shape) - 1))
        value, weight = loss(mask_of_part)
        values.append(value)
        weights.append(weight * mixed.weight_of(rows))
    factor = sum(weights)
    total = sum(value * weight for value, weight in zip(values, weights, strict=True))
    there = ops.cast(factor > 0, "float32")
    return total / ops.where(factor > 0, factor, 1.0), there, factor
