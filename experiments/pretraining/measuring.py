"""The shipped file, measured on a test set."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
import numpy as np

from experiments.pretraining import conditions, measures
from experiments.pretraining.shipping import scaled
from mtl_dm import faces
from mtl_dm.cards.counting import TaskCount
from mtl_dm.cards.measures import Share, accuracy
from mtl_dm.measuring.evaluation import BATCH
from mtl_dm.measuring.sources import source_for
from mtl_dm.models import MultiTaskModel
from mtl_dm.predicting.predictor import Predictor
from mtl_dm.tasks import Task

TIMED = 256
"""Faces of which the speed is taken."""


class TestSet(NamedTuple):
    """A test set in memory.

    Attributes:
        images: uint8 [N, 112, 112, 3].
        labels: By task, [N, S].
        masks: By task, [N] or [N, S].
    """

    images: np.ndarray
    labels: dict[str, np.ndarray]
    masks: dict[str, np.ndarray]


def read(model: MultiTaskModel, name: str, data_dir: str) -> TestSet:
    """Return a built data set as `python -m mtl_dm.evaluate` gives it to a model."""
    batches = list(source_for(model, name, data_dir).batch(BATCH).as_numpy_iterator())
    images = np.concatenate([np.rint((each[0] + 1) * 127.5).astype(np.uint8) for each in batches])
    labels, masks = (
        {task: np.concatenate([each[place][task] for each in batches]) for task in batches[0][1]}
        for place in (1, 2)
    )
    return TestSet(images, labels, masks)


def logits_of(model: MultiTaskModel, images: np.ndarray) -> dict[str, np.ndarray]:
    """Return the logits of every image by task, [N, S]."""
    parts = [
        model(scaled(images[start : start + BATCH]), training=False)
        for start in range(0, len(images), BATCH)
    ]
    return {
        name: np.concatenate([keras.ops.convert_to_numpy(part[name]) for part in parts])
        for name in parts[0]
    }


def measured(
    model: MultiTaskModel,
    test: TestSet,
    temperatures: dict[str, float],
    engine: faces.Engine,
    metrics: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return what the card says of a test set.

    Args:
        model: The shipped one: an expression, and facial movements.
        test: The test set.
        temperatures: By task.
        engine: Finds the landmarks by which turned heads are measured.
        metrics: By task, what `python -m mtl_dm.evaluate` says.
    """
    logits = logits_of(model, test.images)
    name = model.tasks[0].name
    known = test.masks[name] > 0
    truth = test.labels[name][known].argmax(axis=1)
    right = logits[name][known].argmax(axis=1) == truth
    images = test.images[known]
    return {
        "images": len(test.images),
        "tasks": {
            task.name: _counted(task, test, logits[task.name], temperatures, metrics[task.name])
            for task in model.tasks
        },
        "conditions": {
            "luminance": measures.by_quarter(conditions.light(images), right),
            "contrast": measures.by_quarter(conditions.contrast(images), right),
            "turned": measures.by_quarter(conditions.turns(images, engine), right),
        },
        "size": {str(side): _shrunk(model, images, truth, side) for side in conditions.SIDES},
    }


def _counted(
    task: Task,
    test: TestSet,
    logits: np.ndarray,
    temperatures: dict[str, float],
    metrics: Mapping[str, Any],
) -> dict[str, Any] | None:
    count = TaskCount(task, temperatures.get(task.name, 1.0))
    count.update(test.labels[task.name], logits, test.masks[task.name])
    return count.result(metrics)


def _shrunk(model: MultiTaskModel, images: np.ndarray, truth: np.ndarray, side: int) -> Share:
    logits = logits_of(model, conditions.shrunk(images, side))[model.tasks[0].name]
    return accuracy(logits.argmax(axis=1) == truth)


def faces_per_second(model: MultiTaskModel, images: np.ndarray) -> float:
    """Return how many aligned faces a second of one core predicts, as `predict` does it.

    Time is that of all cores, so that what several do together does not count as faster.
    """
    predictor = Predictor(model, {})
    crops = list(images[:TIMED])
    predictor(crops)  # Compiles and allocates.
    start = time.process_time()
    predictor(crops)
    return len(crops) / (time.process_time() - start)
