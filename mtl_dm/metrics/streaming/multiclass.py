"""Accuracy, average accuracy and macro F1 inside `model.fit`.

Shapes: B rows of a batch, K classes.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from mtl_dm.metrics.streaming.base import STREAMING_METRICS, TaskMetric, mean_where, safe_ratio
from mtl_dm.tasks import Task


@STREAMING_METRICS.register("multiclass")
@keras.saving.register_keras_serializable(package="mtl_dm")
class MulticlassMetric(TaskMetric):
    """Rates of three counts a class, [3, K]: labelled, predicted, both.

    Definitions as in `mtl_dm.metrics.evaluate`; all are 0 before the first annotated row.
    """

    def __init__(self, task: Task | dict[str, Any], name: str | None = None) -> None:
        super().__init__(task, name)
        self.counts = self._add_counts((3, self.task.size), "counts")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count one batch: labels [B, K], logits [B, K], mask [B] (None: all annotated).

        Raises:
            ValueError: If a shape does not fit the task.
        """
        y_true, y_pred, annotated = self._checked(y_true, y_pred, sample_weight)
        # Labels and predictions in one call: Keras's argmax is eight operations. That of a NaN
        # label is some class, which the mask then takes out.
        classes = ops.argmax(ops.stack([y_true, y_pred]), axis=-1)
        one_hot = ops.one_hot(classes, self.task.size, dtype="float32")
        labelled, predicted = ops.unstack(one_hot * ops.cast(annotated, "float32")[:, None], 2)
        # In float32, which every device adds, and exact: one batch has less than 2^24 rows.
        counts = ops.sum(ops.stack([labelled, predicted, labelled * predicted]), axis=1)
        self.counts.assign_add(ops.cast(counts, self.counts.dtype))

    def result(self) -> dict[str, Any]:
        """Return accuracy, average_accuracy and f1, keyed "{task.name}_{metric}"."""
        # To float32 at once, not in every ratio: rates need no more, and it is cheaper.
        labelled, predicted, hits = ops.unstack(ops.cast(self.counts, "float32"), 3)
        either = labelled + predicted
        return self._keyed(
            accuracy=safe_ratio(ops.sum(hits), ops.sum(labelled)),
            average_accuracy=mean_where(safe_ratio(hits, labelled), labelled > 0),
            f1=mean_where(safe_ratio(2 * hits, either), either > 0),
        )
