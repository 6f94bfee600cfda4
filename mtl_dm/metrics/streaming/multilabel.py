"""Accuracy, F1 and AFA over attributes inside `model.fit`.

Shapes: B rows of a batch, M attributes.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from mtl_dm.metrics.streaming.base import STREAMING_METRICS, TaskMetric, mean_where, safe_ratio
from mtl_dm.tasks import Task


@STREAMING_METRICS.register("multilabel")
@keras.saving.register_keras_serializable(package="mtl_dm")
class MultilabelMetric(TaskMetric):
    """Rates of four counts an attribute, [4, M]: annotated, labelled, predicted, both.

    Definitions as in `mtl_dm.metrics.evaluate`; all are 0 before the first annotated entry.
    """

    def __init__(self, task: Task | dict[str, Any], name: str | None = None) -> None:
        super().__init__(task, name)
        self.counts = self._add_counts((4, self.task.size), "counts")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count one batch: labels, logits and mask, each [B, M] (mask None: all annotated).

        Raises:
            ValueError: If a shape does not fit the task.
        """
        y_true, y_pred, annotated = self._checked(y_true, y_pred, sample_weight)
        # No comparison with NaN is true, so a NaN needs no replacing.
        present = ops.logical_and(y_true > 0.5, annotated)
        predicted = ops.logical_and(y_pred > 0.0, annotated)
        both = ops.logical_and(present, predicted)
        entries = ops.cast(ops.stack([annotated, present, predicted, both]), "float32")
        self.counts.assign_add(ops.cast(ops.sum(entries, axis=1), self.counts.dtype))

    def result(self) -> dict[str, Any]:
        """Return accuracy, f1 and afa, keyed "{task.name}_{metric}"."""
        counts = ops.convert_to_tensor(self.counts)
        annotated, present, predicted, both = ops.unstack(counts, 4)
        twice, either = 2 * both, present + predicted
        right = annotated - either + twice
        defined = annotated > 0
        accuracy = mean_where(safe_ratio(right, annotated), defined)
        f1 = mean_where(safe_ratio(twice, either), defined)
        return self._keyed(accuracy=accuracy, f1=f1, afa=(accuracy + f1) / 2)
