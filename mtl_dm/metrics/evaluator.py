"""Measures a task over a whole set, in one call or batch by batch.

Shapes: N rows, S labels of the task (K classes, M attributes or R values).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mtl_dm.metrics.accumulators import ACCUMULATORS
from mtl_dm.metrics.inputs import checked
from mtl_dm.tasks import Task


class Evaluator:
    """Takes a set in batches of any size; the result is that of `evaluate` on the whole set.

    Memory does not grow with the set for counts and moments. Average precision needs every score:
    kept are, per row with an annotation, 4 K + 4 bytes (multiclass) or 5 M bytes (multilabel) for
    scores of up to 32 bits, and 8 K + 4 or 9 M for wider ones. `result` works on a copy.

    Args:
        task: What is predicted.
        thresholds: Multilabel only: one probability in (0, 1) or M of them; an attribute counts as
            predicted where its probability is above. None is 0.5. No effect on average precision.

    Raises:
        ValueError: If `thresholds` does not fit the task.
    """

    def __init__(self, task: Task, thresholds: Any = None) -> None:
        self.task = task
        self._accumulator = ACCUMULATORS.get(task.kind)(task, _checked_thresholds(task, thresholds))
        self._rows = 0

    def update(self, labels: Any, scores: Any, mask: Any) -> None:
        """Take in one batch; arguments and errors are those of `evaluate`.

        Raises:
            ValueError: If an array breaks its rule. Nothing is taken in then.
        """
        self._accumulator.update(*checked(self.task, labels, scores, mask))
        self._rows += len(labels)

    def result(self) -> dict[str, float]:
        """Return the metrics over all rows so far, as `evaluate` does.

        Raises:
            ValueError: If no batch was taken in.
        """
        if not self._rows:
            raise ValueError(
                f"Task {self.task.name!r}: at least one row must be given before result(), got 0."
            )
        return self._accumulator.result()


def evaluate(
    task: Task, labels: Any, scores: Any, mask: Any, *, thresholds: Any = None
) -> dict[str, float]:
    """Return the metrics of one task over a whole set.

    Source: Kollias, Sharmanska, Zafeiriou, AAAI 2024, "Performance Measures".

    Multiclass (soft labels count as their argmax; ties between logits go to the first class):
        accuracy: Share of annotated rows predicted right.
        average_accuracy: Mean recall over the classes that occur
            (scikit-learn's `balanced_accuracy_score`).
        f1: Mean F1 over the classes that occur in labels or predictions (`average="macro"`).
        average_precision: One class against the rest, ranked by the float64 softmax probability
            (which ties at 1 when a logit leads by more than 36), mean over the classes that occur.
        Per class: recall, f1, average_precision, base_rate.
    Multilabel (soft labels count as present above 0.5, logits above 0):
        accuracy, f1: Mean over attributes of the accuracy and of the binary F1 on their annotated
            entries; F1 is 0 for an attribute neither labelled nor predicted present.
        afa: (accuracy + f1) / 2.
        average_precision: Ranked by the logit, mean over the attributes with a positive.
        Per attribute: accuracy, f1, average_precision, base_rate.
    Regression:
        ccc: Mean over values of the concordance correlation coefficient, with population
            variances over the whole set.
        rmse: Mean over values of the root of the mean squared error, in the labels' unit.
        pearson: Mean over values of the correlation coefficient.
        sign_agreement: Mean over values of the share of entries whose label and prediction have
            the same sign.
        Per value: the same four.

    A value that is not defined is NaN and left out of the averages: everything of a label without
    annotation, recall and average precision of a label without a positive (scikit-learn gives
    such an average precision as 0), F1 of a class that neither occurs nor is predicted, the
    correlation with a constant. An average
    over nothing is NaN, so a set without any annotation gives NaN throughout.

    Args:
        task: What is predicted.
        labels: [N, S]; one-hot or soft, present or not, or real values. What stands under a zero
            mask is ignored, NaN included.
        scores: [N, S], logits, or values for a regression; any float type.
        mask: [N] for a multiclass task, else [N, S]; 1 = annotated, 0 = not.
        thresholds: As in `Evaluator`.

    Returns:
        Averages under their plain names ("f1"), then one value a label ("f1/AU1").

    Raises:
        ValueError: If a shape does not fit the task, there is no row, the mask holds anything but
            0 and 1, an annotated entry holds a score or a value of a regression that is not
            finite or an attribute outside [0, 1], an annotated multiclass row is no distribution
            (entries >= 0 that sum to 1), or `thresholds` does not fit the task.
    """
    evaluator = Evaluator(task, thresholds)
    evaluator.update(labels, scores, mask)
    return evaluator.result()


def _checked_thresholds(task: Task, thresholds: Any) -> npt.NDArray[np.float64] | None:
    if thresholds is None:
        return None
    if task.kind != "multilabel":
        raise ValueError(
            f"Task {task.name!r}: thresholds must be None for a {task.kind} task, got {thresholds}."
        )
    values = np.asarray(thresholds, dtype=np.float64)
    if values.shape not in ((), (task.size,)):
        raise ValueError(
            f"Task {task.name!r}: thresholds must be one value or have shape ({task.size},), "
            f"got {values.shape}."
        )
    if not ((values > 0) & (values < 1)).all():
        raise ValueError(f"Task {task.name!r}: thresholds must be in (0, 1), got {values}.")
    return np.broadcast_to(values, (task.size,))
