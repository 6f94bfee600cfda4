"""Few or many tasks of one output on one network: what balancing methods are compared on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from experiments.bench.reference import FILTERS, SIZE
from mtl_dm.tasks import Task


def network() -> keras.Model:
    """Return the backbone that peers are compared on: four convolutions and their mean."""
    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            *(
                keras.layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")
                for filters in FILTERS
            ),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )


def tasks_of(count: int) -> list[Task]:
    """Return so many tasks with a head of one unit."""
    return [Task.multilabel(f"task_{number}", ("present",)) for number in range(count)]


def batch_of(tasks: Sequence[Task], images: int, size: int) -> tuple[Any, Any, Any]:
    """Return random images with random labels of every task."""
    rng = np.random.default_rng(0)
    labels = {task.name: rng.integers(0, 2, (images, 1)).astype(np.float32) for task in tasks}
    masks = {task.name: np.ones((images, 1), np.float32) for task in tasks}
    drawn = rng.normal(size=(images, size, size, 3)).astype(np.float32)
    return tf.nest.map_structure(tf.constant, (drawn, labels, masks))
