"""Facial movements as MediaPipe measures them, as a task and beside Table 1.

They are a model's measurements of a photo, no certified coder's labels: what is printed names them
facial movements, by their own names. Twelve have a near-equivalent in Table 1; these are the
labels of `TASK`. `EVERY_TASK` also has two that Table 1 says nothing of. Left and right count as
one, by their mean.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from mtl_dm.relatedness import Relatedness, facs
from mtl_dm.tasks import Task

NEAR: Mapping[str, str] = {
    "browInnerUp": "AU1",
    "browOuterUp": "AU2",
    "browDown": "AU4",
    "eyeWide": "AU5",
    "eyeSquint": "AU7",
    "mouthUpperUp": "AU10",
    "mouthSmile": "AU12",
    "mouthFrown": "AU15",
    "mouthShrugLower": "AU17",
    "mouthStretch": "AU20",
    "mouthPress": "AU24",
    "jawOpen": "AU26",
}
"""Movement -> what is nearest to it in Table 1."""

MOVEMENTS = tuple(NEAR)
EVERY = (*MOVEMENTS, "mouthLowerDown", "mouthPucker")
TASK = Task.multilabel("facial_movements", MOVEMENTS)
EVERY_TASK = Task.multilabel("facial_movements", EVERY)
QUARTILE = 0.75
LEAST = 0.1


def measured(row: Mapping[str, str], movements: Sequence[str] = MOVEMENTS) -> list[float]:
    """Return the scores of movements, NaN for all where no face was found.

    Args:
        row: Score by name, as text; of what has two sides "Left" and "Right".
        movements: Their names.

    Raises:
        ValueError: If a score is no number or outside [0, 1].
        KeyError: If a movement is not there.
    """
    return [_score(name, row) for name in movements]


def _score(name: str, row: Mapping[str, str]) -> float:
    sides = [name] if name in row else [f"{name}Left", f"{name}Right"]
    texts = [row[side] for side in sides]
    if "" in texts:
        return float("nan")
    score = sum(map(float, texts)) / len(texts)
    if not 0.0 <= score <= 1.0:
        raise ValueError(f"A score of {name} must lie in [0, 1], got {texts}.")
    return score


def thresholds(scores: np.ndarray) -> np.ndarray:
    """Return above which score a movement is there: the upper quartile, at least 0.1.

    Args:
        scores: [N, M] of training images; NaN: not measured.
    """
    return np.maximum(np.nanquantile(scores, QUARTILE, axis=0), LEAST)


def binary(scores: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Return int64 [N, M]: 1 above the threshold, 0 else, -1 where nothing was measured.

    Args:
        scores: [N, M]; NaN: not measured.
        least: [M], the thresholds.
    """
    return np.where(np.isnan(scores), -1, scores > least).astype(np.int64)


def near_table() -> Relatedness:
    """Return Table 1's columns of the near-equivalents, under the names of the movements."""
    table = facs().restrict(attributes=list(NEAR.values()))
    return dataclasses.replace(
        table,
        attributes=MOVEMENTS,
        citation=f"{table.citation} Read for the facial movements nearest to its columns.",
    )
