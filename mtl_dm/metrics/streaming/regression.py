"""Agreement of real values over the whole epoch inside `model.fit`.

Shapes: B rows of a batch, R values.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from mtl_dm.metrics.streaming.base import STREAMING_METRICS, TaskMetric, mean_where, safe_ratio
from mtl_dm.tasks import Task

_RESOLUTION = 1e-12
"""Spread relative to the squared means below which float32 sees rounding errors only."""

_BETWEEN_RESOLUTION = 1e-6
"""Difference of two sums, relative to them, below which float32 sees rounding errors only."""


@STREAMING_METRICS.register("regression")
@keras.saving.register_keras_serializable(package="mtl_dm")
class RegressionMetric(TaskMetric):
    """Moments that are merged batch by batch, as `concordance.Moments` does in float64.

    State, per value, for labels y and predictions x: the count n, the sums S, [2, R], the centred
    co-moments, [3, R] (of y with y, x with x, y with x), and P = S S / n of the same three pairs;
    the sum of squared errors, and how often the signs are the same. Centring before squaring keeps
    float32 accurate when means are large against the spread.

    P makes the state additive: summed over replicas, the co-moments miss the spread between the
    replicas' means, which is sum P - (sum S)(sum S) / (sum n). On one replica that is 0.
    """

    def __init__(self, task: Task | dict[str, Any], name: str | None = None) -> None:
        super().__init__(task, name)
        size = self.task.size
        self.count = self._add_counts((size,), "count")
        self.totals = self.add_variable((2, size), "zeros", aggregation="sum", name="totals")
        self.comoments = self.add_variable((3, size), "zeros", aggregation="sum", name="comoments")
        self.products = self.add_variable((3, size), "zeros", aggregation="sum", name="products")
        self.squared_error = self.add_variable((size,), "zeros", aggregation="sum", name="errors")
        self.same_sign = self._add_counts((size,), "same_sign")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Merge one batch: labels, values and mask, each [B, R] (mask None: all annotated).

        Raises:
            ValueError: If a shape does not fit the task.
        """
        y_true, y_pred, annotated = self._checked(y_true, y_pred, sample_weight)
        # NaN times 0 is NaN, so unannotated entries are replaced, not multiplied.
        values = ops.where(annotated, ops.stack([y_true, y_pred]), 0.0)
        mask = ops.cast(annotated, "float32")
        count, totals = ops.sum(mask, axis=0), ops.sum(values, axis=1)
        means = safe_ratio(totals, count)
        centred = (values - ops.expand_dims(means, 1)) * mask
        # Chan, Golub, LeVeque 1979: n_a n_b / (n_a + n_b) times the squared gap between the means.
        # An empty side has weight 0, so its mean of 0 does not enter.
        before = ops.cast(self.count, "float32")
        weight = safe_ratio(before * count, before + count)
        gap = means - safe_ratio(self.totals, before)
        within = ops.sum(_products(centred), axis=1)
        self.comoments.assign_add(within + weight * _products(gap))
        self.totals.assign_add(totals)
        self.count.assign_add(ops.cast(count, self.count.dtype))
        self.products.assign(safe_ratio(_products(self.totals), self.count))
        y, x = ops.unstack(values, 2)
        self.squared_error.assign_add(ops.sum(ops.square(y - x), axis=0))
        same = ops.logical_and(ops.equal(ops.sign(y), ops.sign(x)), annotated)
        self.same_sign.assign_add(ops.sum(ops.cast(same, self.same_sign.dtype), axis=0))

    def result(self) -> dict[str, Any]:
        """Return means over the annotated values, keyed "{task.name}_ccc" and so on."""
        comoments = self.comoments + self._between_replicas()
        variance_y, variance_x, covariance = ops.unstack(safe_ratio(comoments, self.count), 3)
        mean_y, mean_x = ops.unstack(safe_ratio(self.totals, self.count), 2)
        spread = variance_y + variance_x + ops.square(mean_y - mean_x)
        # Below the resolution both are one constant: 0, not the ratio of two rounding errors.
        resolved = spread > _RESOLUTION * (ops.square(mean_y) + ops.square(mean_x))
        ccc = safe_ratio(2 * covariance, ops.where(resolved, spread, 0.0))
        varied = ops.logical_and(
            variance_y > _RESOLUTION * ops.square(mean_y),
            variance_x > _RESOLUTION * ops.square(mean_x),
        )
        size = ops.sqrt(variance_y) * ops.sqrt(variance_x)
        pearson = ops.clip(safe_ratio(covariance, ops.where(varied, size, 0.0)), -1.0, 1.0)
        known = self.count > 0
        return self._keyed(
            ccc=mean_where(ccc, known),
            rmse=mean_where(ops.sqrt(safe_ratio(self.squared_error, self.count)), known),
            pearson=mean_where(pearson, varied),
            sign_agreement=mean_where(safe_ratio(self.same_sign, self.count), known),
        )

    def _between_replicas(self) -> Any:
        """Return the co-moments [3, R] of the replicas' means, 0 on one replica."""
        between = self.products - safe_ratio(_products(self.totals), self.count)
        yy, xx, _ = ops.unstack(ops.convert_to_tensor(self.products), 3)
        size = ops.stack([yy, xx, ops.sqrt(yy) * ops.sqrt(xx)])
        # A compiler may round the two terms differently; their difference is then no spread.
        return ops.where(ops.abs(between) > _BETWEEN_RESOLUTION * size, between, 0.0)


def _products(pair: Any) -> Any:
    """Return y*y, x*x and y*x, stacked, of the pair (y, x) stacked on the first axis."""
    y, x = ops.unstack(ops.convert_to_tensor(pair), 2)
    return ops.stack([y * y, x * x, y * x])
