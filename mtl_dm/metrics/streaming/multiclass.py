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
    """Rates of a [K, K] confusion matrix, labels in its rows and predictions in its columns.

    Definitions as in `mtl_dm.metrics.evaluate`; all are 0 before the first annotated row.
    """

    def __init__(self, task: Task | dict[str, Any], name: str | None = None) -> None:
        super().__init__(task, name)
        self.confusion = self._add_counts((self.task.size, self.task.size), "confusion")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count one batch: labels [B, K], logits [B, K], mask [B] (None: all annotated).

        Raises:
            ValueError: If a shape does not fit the task.
        """
        y_true, y_pred, annotated = self._checked(y_true, y_pred, sample_weight)
        # Labels and predictions in one call: Keras's argmax is eight operations. That of a NaN
        # label is some class, which the mask then takes out.
        classes = ops.argmax(ops.stack([y_true, y_pred]), axis=-1)
        labelled, predicted = ops.unstack(ops.one_hot(classes, self.task.size, dtype="float32"), 2)
        labelled = labelled * ops.cast(annotated, "float32")[:, None]
        # In float32, which every device multiplies, and exact: one batch has less than 2^24 rows.
        counts = ops.matmul(ops.transpose(labelled), predicted)
        self.confusion.assign_add(ops.cast(counts, self.confusion.dtype))

    def result(self) -> dict[str, Any]:
        """Return accuracy, average_accuracy and f1, keyed "{task.name}_{metric}"."""
        # To float32 at once, not in every ratio: rates need no more, and it is cheaper.
        confusion = ops.cast(self.confusion, "float32")
        hits = ops.diagonal(confusion)
        labelled, predicted = ops.sum(confusion, axis=1), ops.sum(confusion, axis=0)
        either = labelled + predicted
        return self._keyed(
            accuracy=safe_ratio(ops.sum(hits), ops.sum(labelled)),
            average_accuracy=mean_where(safe_ratio(hits, labelled), labelled > 0),
            f1=mean_where(safe_ratio(2 * hits, either), either > 0),
        )
