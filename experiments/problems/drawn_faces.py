"""Drawn faces in memory: nothing to download, nothing to build, drawn in seconds."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from experiments.engine.problem import Apart, Problem
from mtl_dm import data
from mtl_dm.synthetic.face_sets import EMOTIONET_UNITS, TASKS, generate
from mtl_dm.tasks import ACTION_UNITS
from mtl_dm.training.config import TrainConfig

SIDE = 48
COUNTS = {"expression_only": 1_000, "action_units_only": 1_500, "fully_annotated": 500}
"""Faces of each set."""
TRAINING = ("expression_only", "action_units_only")
UNSEEN = "action_units_unseen"
_SEEN = np.isin(ACTION_UNITS, EMOTIONET_UNITS).astype(np.float32)


class Drawn(NamedTuple):
    """A set of drawn faces: uint8 images [N, S, S, 3] and labels by task name."""

    images: np.ndarray
    labels: dict[str, np.ndarray]


@functools.lru_cache(maxsize=len(COUNTS))
def drawn(name: str, split: str) -> Drawn:
    """Return a set, drawn once in a process.

    Args:
        name: One of `COUNTS`.
        split: Of it.
    """
    examples = list(generate(name, split, COUNTS[name], SIDE))
    labels = {task.name: np.stack([each[task.name] for each in examples]) for task in TASKS[:2]}
    return Drawn(np.stack([each["image"] for each in examples]), labels)


class DrawnFaces(Problem):
    """One set annotated for expressions, one for 11 action units, test faces for everything.

    Args:
        options: Fields of the configuration.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.tasks = TASKS[:2]
        self.config = TrainConfig(
            datasets=tuple(f"drawn faces ({name})" for name in TRAINING),
            tasks=tuple(task.name for task in self.tasks),
            image_size=SIDE,
            shares=(1.0, 1.0),
            **options,
        )
        self.record = {"counts": COUNTS}
        self.scored = {"action_units": _SEEN}
        self.apart = {UNSEEN: Apart("action_units", 1 - _SEEN)}

    def sources(self, tasks: Sequence[Any]) -> list[tf.data.Dataset | None]:
        """Return the faces that train expressions and those that train action units."""
        own = zip(TRAINING, self.tasks, strict=True)
        return [
            _source(drawn(name, "train"), [each for each in tasks if each.name == task.name])
            for name, task in own
        ]

    def test(self, tasks: Sequence[Any]) -> tf.data.Dataset:
        """Return faces of other people, annotated for everything."""
        found = _source(drawn("fully_annotated", "test"), tasks)
        if found is None:
            raise ValueError("There is no task to test.")
        return found


def _source(faces: Drawn, tasks: Sequence[Any]) -> tf.data.Dataset | None:
    if not tasks:
        return None
    labels = {task.name: faces.labels[task.name] for task in tasks}
    source = data.from_arrays(faces.images, labels, tasks)
    return source.map(_as_seen, num_parallel_calls=tf.data.AUTOTUNE)


def _as_seen(image: tf.Tensor, labels: Any, masks: Any) -> tuple[tf.Tensor, Any, Any]:
    return data.network_input(image, SIDE), labels, masks
