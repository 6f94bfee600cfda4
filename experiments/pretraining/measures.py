"""What a card says of a test set; pure functions.

Shapes: N images, K classes, M movements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mtl_dm.metrics import probabilities
from mtl_dm.metrics.average_precision import average_precision
from mtl_dm.metrics.calibration import reliability
from mtl_dm.reporting.statistics import wilson_interval
from mtl_dm.tasks import Task

LEAST = 30
"""Test images below which nothing is said of a class."""
GROUPS = ("lowest quarter", "second quarter", "third quarter", "highest quarter")
ALIKE = 0.05
"""Of the range: images whose middle half spans less are alike, as those of a normalised set."""

Share = dict[str, Any]
"""value, low and high (95%, Wilson), and of how many; the first three None where these are few."""


def share(successes: int, trials: int) -> Share:
    """Return a share with its interval; no value of fewer than `LEAST` trials."""
    if trials < LEAST:
        return {"value": None, "low": None, "high": None, "of": trials}
    low, high = wilson_interval(successes, trials)
    return {"value": successes / trials, "low": low, "high": high, "of": trials}


def accuracy(right: np.ndarray) -> Share:
    """Return the share of bool [N] that is True."""
    return share(int(right.sum()), len(right))


def recalls(labels: np.ndarray, predicted: np.ndarray, names: Sequence[str]) -> dict[str, Share]:
    """Return of every class the share of its images that are predicted right.

    Args:
        labels: Class ids [N].
        predicted: Likewise.
        names: Of the K classes.
    """
    return {name: accuracy(predicted[labels == place] == place) for place, name in enumerate(names)}


def movements(
    labels: np.ndarray, mask: np.ndarray, logits: np.ndarray, names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return the average precision and the base rate of every movement.

    Args:
        labels: [N, M], 1 present.
        mask: [N, M], 1 annotated.
        logits: [N, M].
        names: Of the M movements.

    Returns:
        By name; the average precision is None with fewer than `LEAST` images that show it.
    """
    found = {}
    for place, name in enumerate(names):
        known = mask[:, place] > 0
        positive = labels[known, place] > 0.5
        enough = positive.sum() >= LEAST
        precision = average_precision(positive, logits[known, place]) if enough else None
        found[name] = {
            "average_precision": precision,
            "base_rate": float(positive.mean()) if known.any() else None,
            "positives": int(positive.sum()),
        }
    return found


def calibration_error(
    task: Task, labels: np.ndarray, mask: np.ndarray, logits: np.ndarray, temperature: float
) -> float:
    """Return the expected calibration error, as `mtl_dm.metrics.calibration` measures it.

    Args:
        task: Multiclass, with one-hot labels [N, K] and mask [N], or multilabel, [N, M].
        labels: The labels.
        mask: 1 annotated.
        logits: Of the same shape as the labels.
        temperature: By which logits are divided.
    """
    stated, keep = probabilities(task, logits, temperature), mask > 0
    if task.kind == "multilabel":
        return reliability(stated[keep], labels[keep] > 0.5).error
    right = stated[keep].argmax(axis=1) == labels[keep].argmax(axis=1)
    return reliability(stated[keep].max(axis=1), right).error


def by_quarter(values: np.ndarray, right: np.ndarray) -> list[dict[str, Any]]:
    """Return the accuracy in each quarter of the images, by a measured quantity.

    Args:
        values: The quantity [N]; NaN where it could not be measured, which is a group too.
        right: bool [N].

    Returns:
        A line a group: "group", "from", "to" (of the quantity), "accuracy".
    """
    known = ~np.isnan(values)
    found: list[dict[str, Any]] = []
    if known.any():
        edges = np.quantile(values[known], [0, 0.25, 0.5, 0.75, 1])
        groups = GROUPS
        if edges[3] - edges[1] < ALIKE * (edges[4] - edges[0]):
            groups, edges = ("nearly all are alike",), edges[[0, 4]]
        quarter = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(groups) - 1)
        for place, name in enumerate(groups):
            inside = known & (quarter == place)
            line: dict[str, Any] = {"group": name}
            line |= {"from": float(edges[place]), "to": float(edges[place + 1])}
            found.append(line | {"accuracy": accuracy(right[inside])})
    if not known.all():
        nothing: Mapping[str, Any] = {"group": "not measured", "from": None, "to": None}
        found.append({**nothing, "accuracy": accuracy(right[~known])})
    return found
