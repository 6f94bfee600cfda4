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
        y_true, y_pred, mask = self._prepared(y_true, y_pred, sample_weight)
        # What is not annotated was set to 0, so it is neither present nor predicted here.
        present, predicted = ops.cast(y_true > 0.5, "float32"), ops.cast(y_pred > 0.0, "float32")
        counts = ops.sum(ops.stack([mask, present, predicted, present * predicted]), axis=1)
        self.counts.assign_add(ops.cast(counts, self.counts.dtype))

    def result(self) -> dict[str, Any]:
        """Return accuracy, f1 and afa, keyed "{task.name}_{metric}"."""
        annotated, present, predicted, both = ops.unstack(ops.convert_to_tensor(self.counts), 4)
        right = annotated - present - predicted + 2 * both
        accuracy = mean_where(safe_ratio(right, annotated), annotated > 0)
        f1 = mean_where(safe_ratio(2 * both, present + predicted), annotated > 0)
        return self._keyed(accuracy=accuracy, f1=f1, afa=(accuracy + f1) / 2)
