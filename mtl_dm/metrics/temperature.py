"""Probabilities from logits, and the temperature that makes them mean what they say.

Source: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017,
section 4.2: q = softmax(z / T), with one T > 0 that minimises the negative log-likelihood (NLL)
of validation data. Here also sigmoid(z / T), with one T for all attributes of a task. T changes
no decision: the largest class stays the largest, and what was above 0.5 stays above it.

Shapes: N rows, S labels of the task.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_expit, log_softmax, softmax

from mtl_dm.metrics.inputs import checked
from mtl_dm.tasks import Task

TEMPERATURES = (0.02, 50.0)
"""Bounds of T."""


def probabilities(task: Task, logits: Any, temperature: float = 1.0) -> npt.NDArray[np.float64]:
    """Return what the logits [N, S] of a task say: probabilities; the values of a regression.

    A regression with bounds is clipped to them: its head is linear, and no label lies beyond.
    Losses and metrics see what the head gives.

    Raises:
        ValueError: If the temperature is not finite and > 0.
    """
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(
            f"Task {task.name!r}: the temperature must be finite and > 0, got {temperature}."
        )
    scores = np.asarray(logits, np.float64)
    if task.kind == "multiclass":
        return np.asarray(softmax(scores / temperature, axis=-1))
    if task.kind == "multilabel":
        return np.asarray(expit(scores / temperature))
    return scores if task.bounds is None else np.clip(scores, *task.bounds)


def negative_log_likelihood(
    task: Task, labels: Any, logits: Any, mask: Any, temperature: float = 1.0
) -> float:
    """Return the mean NLL of the annotated images (multiclass) or entries (multilabel).

    Args:
        task: A multiclass or multilabel task.
        labels: [N, S], as for `mtl_dm.metrics.evaluate`.
        logits: [N, S].
        mask: [N] for a multiclass task, else [N, S]; 1 = annotated, 0 = not.
        temperature: T.

    Raises:
        ValueError: If the task is a regression, nothing is annotated or an array breaks its rule.
    """
    return _loss(task, *_annotated(task, labels, logits, mask), temperature)


def best_temperature(task: Task, labels: Any, logits: Any, mask: Any) -> float:
    """Return the T with the lowest NLL.

    The NLL is convex in 1 / T, so that there is one minimum. Logits that are right everywhere
    have it at T = 0, useless ones at infinity: T stops at `TEMPERATURES`.

    Args:
        task: A multiclass or multilabel task.
        labels: As for `negative_log_likelihood`, like what follows.
        logits: [N, S] of data that were not trained on, never of the test set.
        mask: [N] or [N, S].

    Returns:
        T; 1 where every T is as good, since the logits are all equal.

    Raises:
        ValueError: As for `negative_log_likelihood`.
    """
    labels, logits = _annotated(task, labels, logits, mask)
    spread = np.ptp(logits, axis=1) if task.kind == "multiclass" else np.abs(logits)
    if spread.max() < 1e-9:
        return 1.0
    low, high = np.log(TEMPERATURES)
    found = minimize_scalar(
        lambda log_t: _loss(task, labels, logits, math.exp(log_t)),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-7},
    )
    return math.exp(found.x)


def _annotated(task: Task, labels: Any, logits: Any, mask: Any) -> tuple[Any, Any]:
    """Return the annotated rows of a multiclass task, or the entries [n] of a multilabel one."""
    if task.kind == "regression":
        raise ValueError(f"Task {task.name!r}: a regression has no probabilities to calibrate.")
    labels, logits, mask = checked(task, labels, logits, mask)
    if not mask.any():
        raise ValueError(f"Task {task.name!r}: nothing is annotated.")
    return labels[mask], logits[mask].astype(np.float64)


def _loss(task: Task, labels: Any, logits: Any, temperature: float) -> float:
    scaled = logits / temperature
    if task.kind == "multiclass":
        return -float(np.mean(np.sum(labels * log_softmax(scaled, axis=1), axis=1)))
    # log(1 - sigmoid(z)) = log sigmoid(-z), exact also where the sigmoid rounds to 1.
    return -float(np.mean(labels * log_expit(scaled) + (1 - labels) * log_expit(-scaled)))
