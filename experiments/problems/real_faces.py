"""Real photos, each database annotated for one task, tested on unseen images of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from experiments.engine.problem import Given, Problem
from experiments.problems import facial_movements
from experiments.problems.facial_movements import binary, near_table
from experiments.problems.real_faces_data import (
    CO_ANNOTATED,
    CROP,
    HELD_OUT,
    SIDE,
    SPLIT_SEED,
    Faces,
    RealFaces,
    real_faces,
)
from mtl_dm import data
from mtl_dm.relatedness import Relatedness, from_annotations, marginal
from mtl_dm.tasks import EXPRESSIONS, Task
from mtl_dm.training.config import TrainConfig

DATASET = "FER2013 and LFW (real)"
SOURCES = ("fer2013 (expressions)", "lfw (facial movements)")
EXPRESSION = Task.multiclass("expression", EXPRESSIONS)
NEAR = "Table 1 by the nearest facial movements"
COUNTED = f"counted on {CO_ANNOTATED} images of FER2013"
RATES = "learned: from the rates of the training labels"
FURTHER = "lfw"


class RealFacesProblem(Problem):
    """FER2013 annotated for expressions alone, LFW for facial movements alone.

    The test images are FER2013's PublicTest, whole; `expression_lfw` and `facial_movements_lfw`
    are measured on LFW's test people. Thresholds are chosen on the held-out tenth of FER2013's
    Training.

    Args:
        data_dir: Folder of both, see `real_faces`.
        test: "test", or "validation" to test on the held-out tenth and choose no thresholds.
        options: Fields of the configuration.
        movements: The second task; its labels are movements.

    Raises:
        FileNotFoundError: If something is not there; it is named.
        ValueError: If a file is malformed.
    """

    def __init__(
        self,
        data_dir: str,
        test: str,
        options: Mapping[str, Any],
        movements: Task = facial_movements.TASK,
    ) -> None:
        self._faces = real_faces(data_dir, movements.labels)
        self._parts = (self._faces.train, self._faces.lfw_train)
        self._thresholds = self._faces.thresholds
        self._choosing = test == "validation"
        self.tasks = (EXPRESSION, movements)
        self.config = TrainConfig(
            datasets=SOURCES,
            tasks=tuple(task.name for task in self.tasks),
            image_size=SIDE,
            shares=(1.0, 1.0),
            **options,
        )
        self.names = {"facs": NEAR, "counted": COUNTED, "learned": RATES}
        self.record = {
            "test": test,
            "split": {"seed": SPLIT_SEED, "held_out": HELD_OUT, "co_annotated": CO_ANNOTATED},
            "crop": list(CROP),
            "thresholds": [round(float(value), 4) for value in self._faces.thresholds],
            "data": identity(self._faces),
        }

    def sources(self, tasks: Sequence[Task]) -> list[tf.data.Dataset | None]:
        """Return the images that train expressions and those that train movements."""
        wanted = {task.name: task for task in tasks}
        return [
            self._source(part, [wanted[task.name]]) if task.name in wanted else None
            for part, task in zip(self._parts, self.tasks, strict=True)
        ]

    def validation(self, tasks: Sequence[Task]) -> tf.data.Dataset | None:
        """Return the held-out tenth of FER2013's Training."""
        return None if self._choosing else self._source(self._faces.held_out, tasks)

    def test(self, tasks: Sequence[Task]) -> tf.data.Dataset:
        """Return FER2013's PublicTest."""
        return self._source(self._faces.held_out if self._choosing else self._faces.test, tasks)

    def further(self, tasks: Sequence[Task]) -> Mapping[str, tf.data.Dataset]:
        """Return LFW's test people."""
        return {} if self._choosing else {FURTHER: self._source(self._faces.lfw_test, tasks)}

    def given(self, name: str) -> Given | None:
        """Return Table 1 for movements, the counted table, or the start of a learned one."""
        if name == NEAR:
            return Given(near_table())
        if name == COUNTED:
            return Given(self._counted())
        if name == RATES:
            classes, attributes = self._parts
            rates = marginal(classes.expression, self._movements(attributes), **self._labels)
            return Given(rates, learned=True)
        return None

    @property
    def _labels(self) -> dict[str, tuple[str, ...]]:
        return {"classes": EXPRESSIONS, "attributes": self.tasks[1].labels}

    def _counted(self) -> Relatedness:
        part = self._faces.co_annotated
        return from_annotations(part.expression, self._movements(part), **self._labels)

    def _movements(self, faces: Faces) -> Any:
        return binary(faces.scores, self._thresholds)

    def _source(self, faces: Faces, tasks: Sequence[Task]) -> tf.data.Dataset:
        every = {"expression": faces.expression, "facial_movements": self._movements(faces)}
        labels = {task.name: every[task.name] for task in tasks}
        source = data.from_arrays(faces.images[..., None], labels, tasks)
        return source.map(_colours, num_parallel_calls=tf.data.AUTOTUNE)


def identity(faces: RealFaces) -> dict[str, Any]:
    """Return what tells these photos from others that lie in a folder of the same name."""
    return {
        "images": {name: len(part.images) for name, part in faces.parts.items()},
        "dropped": faces.dropped,
        "movements": dict(facial_movements.NEAR),
        "digest": faces.digest,
    }


def _colours(image: tf.Tensor, labels: Any, masks: Any) -> tuple[tf.Tensor, Any, Any]:
    """Return a grey image as networks see one."""
    return data.network_input(tf.tile(image, (1, 1, 3)), SIDE), labels, masks
