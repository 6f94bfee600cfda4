"""What the Keras metrics of all kinds of task share.

Shapes: B rows of a batch, S labels of the task (K classes, M attributes or R values).
"""

from __future__ import annotations

from typing import Any, Self

import keras
from keras import ops

from mtl_dm.registry import Registry
from mtl_dm.tasks import Task

STREAMING_METRICS: Registry[type[TaskMetric]] = Registry("task kind")


def streaming_metric(task: Task) -> keras.metrics.Metric:
    """Return a Keras metric that measures `task` batch by batch.

    `update_state(y_true, y_pred, sample_weight)` takes labels, logits (of any float type) and mask
    as `mtl_dm.metrics.evaluate` does; `result()` returns a dict of scalars keyed
    "{task.name}_{metric}", which Keras merges into the logs: accuracy, average_accuracy and f1 for
    a multiclass task, accuracy, f1 and afa for a multilabel task, ccc, rmse, pearson
    and sign_agreement for a regression.

    The values are those of `evaluate` over all rows since the last reset, to float32 precision,
    with one difference: where `evaluate` says NaN for "not defined", this says 0.0, because
    callbacks that compare logs, such as `EarlyStopping`, cannot compare with NaN.
    Average precision is not among them: it needs all scores at once, and `Evaluator` keeps those
    outside the training step.

    Args:
        task: What is predicted.

    Returns:
        The metric of the task's kind.

    Raises:
        ValueError: If no metric is registered for the task's kind.
    """
    return STREAMING_METRICS.get(task.kind)(task)


class TaskMetric(keras.metrics.Metric):
    """Base of the streaming metrics: holds the task, checks shapes, round-trips its config.

    Counts are kept as integers (int64 on TensorFlow, int32 elsewhere: JAX has no int64 by
    default), because a float32 count stops growing at 2^24. All variables are summed over replicas.

    Args:
        task: What is predicted, or what `Task.to_dict` gave.
        name: Name of the metric; "{task.name}_metrics" by default.
    """

    def __init__(self, task: Task | dict[str, Any], name: str | None = None) -> None:
        task = task if isinstance(task, Task) else Task.from_dict(task)
        # float32 under every precision policy: half-precision sums would be wrong after 2^11 rows.
        super().__init__(dtype="float32", name=name or f"{task.name}_metrics")
        self.task = task

    def _add_counts(self, shape: tuple[int, ...], name: str) -> keras.Variable:
        # "int" is Keras's name for the backend's own integer.
        return self.add_variable(
            shape, initializer="zeros", dtype="int", aggregation="sum", name=name
        )

    def _checked(self, y_true: Any, y_pred: Any, mask: Any) -> tuple[Any, Any, Any]:
        """Return labels and scores in float32, and where they are annotated.

        The mask decides only whether an entry counts: any weight above 0 counts as 1.

        Raises:
            ValueError: If a rank or the last axis does not fit the task.
        """
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if mask is None:
            mask = ops.ones(ops.shape(y_true)[: 1 + len(self.task.mask_shape)], "float32")
        mask = ops.cast(mask, "float32")
        self._check_shape("y_true", y_true.shape, (self.task.size,))
        self._check_shape("y_pred", y_pred.shape, (self.task.size,))
        self._check_shape("sample_weight", mask.shape, self.task.mask_shape)
        return ops.cast(y_true, "float32"), ops.cast(y_pred, "float32"), mask > 0

    def _check_shape(self, name: str, shape: Any, expected: tuple[int, ...]) -> None:
        if tuple(shape)[1:] != expected or len(shape) != 1 + len(expected):
            raise ValueError(
                f"Task {self.task.name!r}: {name} must have shape {('B', *expected)}, "
                f"got {tuple(shape)}."
            )

    def _keyed(self, **values: Any) -> dict[str, Any]:
        return {f"{self.task.name}_{metric}": value for metric, value in values.items()}

    def get_config(self) -> dict[str, Any]:
        """Return name and task as values that JSON can hold."""
        return {"name": self.name, "task": self.task.to_dict()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the metric that `get_config` described, with its state at zero."""
        return cls(**config)


def safe_ratio(numerator: Any, denominator: Any) -> Any:
    """Return numerator / denominator in float32, 0 where the denominator is 0."""
    # `fit` computes results in every step, so they are made of few operations.
    return ops.divide_no_nan(ops.cast(numerator, "float32"), ops.cast(denominator, "float32"))


def mean_where(values: Any, defined: Any) -> Any:
    """Return the mean of the values where the bool `defined` is set; 0 if it is nowhere.

    Values must be 0 where they are not defined, as those of `safe_ratio` are.
    """
    return safe_ratio(ops.sum(values), ops.sum(ops.cast(defined, "float32")))
