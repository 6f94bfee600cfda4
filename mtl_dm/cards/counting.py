"""A task's part of a test, taken in batch by batch.

Shapes: B images of a batch, S labels of the task.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mtl_dm.cards import measures
from mtl_dm.cards.measures import finite
from mtl_dm.metrics import probabilities
from mtl_dm.metrics.calibration import reliability
from mtl_dm.tasks import Task

MOST_LABELS = 60
"""Labels up to which a card has a line each; of hundreds of people nobody reads one."""


class TaskCount:
    """Counts what a card says of a task; memory grows by a few numbers an image and label.

    Args:
        task: The task.
        temperature: By which logits are divided.
    """

    def __init__(self, task: Task, temperature: float = 1.0) -> None:
        self.task = task
        self._temperature = temperature
        self._parts: list[tuple[np.ndarray, ...]] = []

    def update(self, labels: np.ndarray, logits: np.ndarray, mask: np.ndarray) -> None:
        """Take in one batch.

        Args:
            labels: [B, S].
            logits: [B, S].
            mask: [B] for a multiclass task, else [B, S]; 1 annotated.
        """
        known = mask > 0
        if self.task.kind == "regression":
            self._parts.append((labels, logits, known))
            return
        stated = probabilities(self.task, logits, self._temperature)
        if self.task.kind == "multiclass":
            # Softmax may exceed 1 by rounding.
            sure = np.minimum(stated[known].max(axis=1), 1.0)
            self._parts.append((labels[known].argmax(axis=1), logits[known].argmax(axis=1), sure))
        else:
            self._parts.append((labels > 0.5, logits > 0, known, stated.astype(np.float32)))

    def result(self, metrics: Mapping[str, float | None]) -> dict[str, Any] | None:
        """Return the measures of all batches, None where nothing was annotated.

        Args:
            metrics: What `mtl_dm.metrics.evaluate` says of them.
        """
        if not self._parts:
            return None
        parts = [np.concatenate(part) for part in zip(*self._parts, strict=True)]
        known = len(parts[0]) if self.task.kind == "multiclass" else int(parts[2].sum())
        if not known:
            return None
        found = {"multiclass": self._classes, "multilabel": self._attributes}.get(
            self.task.kind, self._values
        )(parts, metrics)
        labels = found["labels"] if self.task.size <= MOST_LABELS else {}
        return {"kind": self.task.kind, **found, "labels": labels}

    def _classes(self, parts: list[np.ndarray], metrics: Mapping[str, Any]) -> dict[str, Any]:
        truth, predicted, sure = parts
        right = truth == predicted
        return {
            "accuracy": measures.accuracy(right),
            "average_accuracy": finite(metrics["average_accuracy"]),
            "calibration_error": reliability(sure, right).error,
            "labels": measures.recalls(truth, predicted, self.task.labels),
        }

    def _attributes(self, parts: list[np.ndarray], metrics: Mapping[str, Any]) -> dict[str, Any]:
        present, predicted, known, stated = parts
        precisions = {label: metrics[f"average_precision/{label}"] for label in self.task.labels}
        return {
            "f1": finite(metrics["f1"]),
            "average_precision": finite(metrics["average_precision"]),
            "calibration_error": reliability(stated[known], present[known]).error,
            "labels": measures.attributes(present, predicted, known, self.task.labels, precisions),
        }

    def _values(self, parts: list[np.ndarray], metrics: Mapping[str, Any]) -> dict[str, Any]:
        labels, values, known = parts
        return {
            "ccc": finite(metrics["ccc"]),
            "rmse": finite(metrics["rmse"]),
            "labels": measures.concordances(labels, values, known, self.task.labels),
        }
