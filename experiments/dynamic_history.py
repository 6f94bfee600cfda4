"""What the weights did in training: means over repeats, and who got the larger one.

Shapes: R repeats, E epochs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.problems.face_verification import EXPRESSION, IDENTITY
from mtl_dm.models.balance_log import WEIGHT
from mtl_dm.runs.evidence import Content

TASKS = (IDENTITY, EXPRESSION)


class Course(NamedTuple):
    """The course of a row's training.

    Attributes:
        losses: [R, E, 2], of identity and expression; NaN where a network does not have the task.
        weights: [R, E, 2], each over their sum; None where weights were not logged.
    """

    losses: np.ndarray
    weights: np.ndarray | None

    @property
    def epochs(self) -> list[float]:
        """From 1."""
        return [1.0 + place for place in range(self.losses.shape[1])]


def course_of(contents: Sequence[Content]) -> Course | None:
    """Return the course of the repeats of a row; None where no history was kept.

    Args:
        contents: Evidence of each.
    """
    losses = [_losses(content["history"]) for content in contents if content["history"]]
    if not losses:
        return None
    weights = [_weights(content["history"]) for content in contents if content["history"]]
    known = [each for each in weights if each is not None]
    shares = np.stack(known) if len(known) == len(losses) else None
    return Course(np.stack(losses), shares)


def _losses(parts: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Return [E, 2]: of networks with one task each it has its own."""
    length = max(len(part["epochs"]) for part in parts)
    found = np.full((length, len(TASKS)), np.nan)
    for part in parts:
        for place, task in enumerate(TASKS):
            # A network with one task calls its loss by the task too.
            values = part["terms"].get(task)
            if values is not None:
                found[: len(values), place] = [np.nan if v is None else v for v in values]
    return found


def _weights(parts: Sequence[Mapping[str, Any]]) -> np.ndarray | None:
    logged = [part["balance"] for part in parts if f"{IDENTITY}{WEIGHT}" in part.get("balance", {})]
    if not logged:
        return None
    values = np.array([logged[0][f"{task}{WEIGHT}"] for task in TASKS], float).T
    return values / values.sum(axis=1, keepdims=True)


class Larger(NamedTuple):
    """Who got the larger weight, over all epochs and repeats.

    Attributes:
        identity: Mean weight of identity.
        identity_last: That of the last epoch.
        to_harder: Share of epochs in which the task with the larger loss had the larger weight;
            NaN where weights never differ.
    """

    identity: float
    identity_last: float
    to_harder: float


def larger(course: Course) -> Larger | None:
    """Return who got the larger weight; None where weights were not logged."""
    if course.weights is None:
        return None
    weights = course.weights
    gap = weights[..., 0] - weights[..., 1]
    harder = course.losses[..., 0] - course.losses[..., 1]
    counted = (np.abs(gap) > 1e-6) & np.isfinite(harder) & (harder != 0)
    agreed = np.sign(gap[counted]) == np.sign(harder[counted])
    return Larger(
        float(weights[..., 0].mean()),
        float(weights[:, -1, 0].mean()),
        float(agreed.mean()) if agreed.size else float("nan"),
    )
