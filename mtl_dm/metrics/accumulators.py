"""What is kept between batches, one accumulator for each kind of task.

Shapes: B rows of a batch, K classes, M attributes, R values. Accumulators take what
`inputs.checked` returned.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mtl_dm.metrics import classification, concordance, detection
from mtl_dm.metrics.average_precision import average_precision, softmax_columns
from mtl_dm.metrics.ratios import mean_of_defined
from mtl_dm.registry import Registry
from mtl_dm.tasks import Task

Array = npt.NDArray[Any]


class Accumulator(Protocol):
    """Takes batches and gives the metrics of all rows so far."""

    def __init__(self, task: Task, thresholds: Array | None) -> None: ...

    def update(self, labels: Array, scores: Array, mask: Array) -> None:
        """Take in the labels [B, S], scores [B, S] and bool mask of one batch."""

    def result(self) -> dict[str, float]:
        """Return averages under plain names and "metric/label" values; NaN where undefined."""


ACCUMULATORS: Registry[type[Accumulator]] = Registry("task kind")


def _per_label(task: Task, metrics: dict[str, Array]) -> dict[str, float]:
    return {
        f"{metric}/{label}": float(value)
        for metric, values in metrics.items()
        for label, value in zip(task.labels, values, strict=True)
    }


@ACCUMULATORS.register("multiclass")
class MulticlassAccumulator:
    """Three counts a class, and logits and class ids of the annotated rows for AP."""

    def __init__(self, task: Task, thresholds: Array | None) -> None:
        self._task = task
        self._counts = np.zeros((3, task.size), np.int64)
        self._classes = [np.zeros(0, np.int32)]
        self._logits = [np.zeros((0, task.size), np.float32)]

    def update(self, labels: Array, scores: Array, mask: Array) -> None:
        """Take in labels [B, K], logits [B, K] and mask [B]."""
        classes, logits = labels[mask].argmax(axis=1), scores[mask]
        self._counts += classification.class_counts(classes, logits.argmax(axis=1), self._task.size)
        self._classes.append(classes.astype(np.int32))
        self._logits.append(logits)

    def result(self) -> dict[str, float]:
        """Return accuracy, average_accuracy, f1 and average_precision, and values per class."""
        per_class = {
            "recall": classification.recalls(self._counts),
            "f1": classification.f1_scores(self._counts),
            "average_precision": self._average_precisions(),
            "base_rate": classification.base_rates(self._counts),
        }
        return {
            "accuracy": classification.accuracy(self._counts),
            "average_accuracy": mean_of_defined(per_class["recall"]),
            "f1": mean_of_defined(per_class["f1"]),
            "average_precision": mean_of_defined(per_class["average_precision"]),
            **_per_label(self._task, per_class),
        }

    def _average_precisions(self) -> Array:
        classes = np.concatenate(self._classes)
        columns = softmax_columns(np.concatenate(self._logits))
        return np.array(
            [average_precision(classes == k, column) for k, column in enumerate(columns)]
        )


@ACCUMULATORS.register("multilabel")
class MultilabelAccumulator:
    """Four counts an attribute, and logits and labels of the rows with an annotation for AP."""

    def __init__(self, task: Task, thresholds: Array | None) -> None:
        self._task = task
        chosen = np.full(task.size, 0.5) if thresholds is None else thresholds
        self._least_logits = detection.threshold_logits(chosen)
        self._counts = np.zeros((4, task.size), np.int64)
        self._present = [np.zeros((0, task.size), np.int8)]
        self._logits = [np.zeros((0, task.size), np.float32)]

    def update(self, labels: Array, scores: Array, mask: Array) -> None:
        """Take in labels, logits and mask, each [B, M]."""
        present = labels > 0.5
        self._counts += detection.binary_counts(present, scores > self._least_logits, mask)
        rows = mask.any(axis=1)
        # One byte holds label and mask: -1 is "not annotated".
        self._present.append(np.where(mask, present, -1).astype(np.int8)[rows])
        self._logits.append(scores[rows])

    def result(self) -> dict[str, float]:
        """Return accuracy, f1, afa and average_precision, and values per attribute."""
        per_attribute = {
            "accuracy": detection.accuracies(self._counts),
            "f1": detection.f1_scores(self._counts),
            "average_precision": self._average_precisions(),
            "base_rate": detection.base_rates(self._counts),
        }
        accuracy = mean_of_defined(per_attribute["accuracy"])
        f1 = mean_of_defined(per_attribute["f1"])
        return {
            "accuracy": accuracy,
            "f1": f1,
            "afa": (accuracy + f1) / 2,
            "average_precision": mean_of_defined(per_attribute["average_precision"]),
            **_per_label(self._task, per_attribute),
        }

    def _average_precisions(self) -> Array:
        present, logits = np.concatenate(self._present), np.concatenate(self._logits)
        return np.array(
            [
                average_precision(column[column >= 0] == 1, scores[column >= 0])
                for column, scores in zip(present.T, logits.T, strict=True)
            ]
        )


@ACCUMULATORS.register("regression")
class RegressionAccumulator:
    """The moments of labels and predictions."""

    def __init__(self, task: Task, thresholds: Array | None) -> None:
        self._task = task
        self._moments = concordance.Moments.none(task.size)

    def update(self, labels: Array, scores: Array, mask: Array) -> None:
        """Take in labels, values and mask, each [B, R]."""
        self._moments = self._moments.merge(concordance.Moments.of(labels, scores, mask))

    def result(self) -> dict[str, float]:
        """Return ccc, rmse, pearson and sign_agreement, and values per label."""
        per_value = {
            "ccc": concordance.concordance(self._moments),
            "rmse": concordance.root_mean_squared_error(self._moments),
            "pearson": concordance.pearson(self._moments),
            "sign_agreement": concordance.sign_agreement(self._moments),
        }
        return {
            **{metric: mean_of_defined(values) for metric, values in per_value.items()},
            **_per_label(self._task, per_value),
        }
