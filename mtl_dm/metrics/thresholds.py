"""Decision thresholds of attributes, chosen on data that are not the test set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from mtl_dm.metrics.inputs import checked
from mtl_dm.tasks import Task

DEFAULT = 0.5
TUNED = "_tuned"
"""Ends the name of a metric that is measured at chosen thresholds: "f1_tuned", "f1_tuned/AU1"."""
_THRESHOLDED = ("accuracy", "f1", "afa")


def best_f1_thresholds(task: Task, labels: Any, scores: Any, mask: Any) -> npt.NDArray[np.float64]:
    """Return, per attribute, the probability threshold with the highest F1 on the given rows.

    Source: the textbook definition; F1 changes only where a score is passed, so every cut between
    two neighbouring scores is tried. Of equal ones the highest threshold is taken.

    Args:
        task: A multilabel task of M attributes.
        labels: [N, M], as for `evaluate`.
        scores: [N, M] logits.
        mask: [N, M], 1 = annotated, 0 = not.

    Returns:
        [M] probabilities in (0, 1); 0.5 for an attribute without an annotated positive.

    Raises:
        ValueError: If the task is not multilabel or an array breaks its rule.
    """
    if task.kind != "multilabel":
        raise ValueError(f"Task {task.name!r}: thresholds are for multilabel, not {task.kind}.")
    labels, scores, mask = checked(task, labels, scores, mask)
    return np.array(
        [
            _best(labels[mask[:, column] > 0, column] > 0.5, scores[mask[:, column] > 0, column])
            for column in range(task.size)
        ]
    )


def with_tuned(default: Mapping[str, float], tuned: Mapping[str, float]) -> dict[str, float]:
    """Return a multilabel task's metrics at 0.5, and beside them those at chosen thresholds.

    Args:
        default: What `evaluate` gives at 0.5; the names stay.
        tuned: The same at chosen thresholds. Taken are the metrics that depend on a threshold,
            accuracy, f1 and afa, under names that end in `TUNED`.
    """
    parts = {name: name.partition("/") for name in tuned}
    beside = {
        f"{metric}{TUNED}{slash}{label}": tuned[name]
        for name, (metric, slash, label) in parts.items()
        if metric in _THRESHOLDED
    }
    return {**default, **beside}


def _best(present: npt.NDArray[np.bool_], scores: npt.NDArray[Any]) -> float:
    if not present.any():
        return DEFAULT
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order].astype(np.float64)
    hits = np.cumsum(present[order])
    predicted = np.arange(1, len(ranked) + 1)
    f1 = 2 * hits / (predicted + present.sum())
    # A cut inside a run of equal scores does not exist.
    f1[:-1][ranked[:-1] == ranked[1:]] = -1.0
    last = int(np.argmax(f1))
    below = ranked[last + 1] if last + 1 < len(ranked) else ranked[last] - 1.0
    # An open interval, also where float64 rounds an extreme probability to 0 or 1.
    return float(np.clip(expit((ranked[last] + below) / 2), 1e-12, 1 - 1e-12))
