"""Measuring a checkpoint, and saying so in its card."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging

from mtl_dm.cards.counting import TaskCount
from mtl_dm.cards.writing import add_test
from mtl_dm.measuring.evaluation import evaluate
from mtl_dm.measuring.temperatures import read_temperatures
from mtl_dm.models import MultiTaskModel


def evaluate_for_card(
    model: MultiTaskModel, source: tf.data.Dataset, checkpoint: Path, dataset: str
) -> dict[str, dict[str, float]]:
    """Return the metrics of `evaluate`, and put what a card says into the one of a checkpoint.

    Args:
        model: Of the checkpoint.
        source: Unbatched (inputs, labels, masks).
        checkpoint: Its file.
        dataset: What the source is called.
    """
    temperatures = _temperatures(checkpoint)
    counts = {task.name: TaskCount(task, temperatures.get(task.name, 1.0)) for task in model.tasks}
    images: dict[str, int] = {}

    def seen(name: str, labels: np.ndarray, logits: np.ndarray, mask: np.ndarray) -> None:
        images[name] = images.get(name, 0) + len(labels)
        counts[name].update(labels, logits, mask)

    metrics = evaluate(model, source, seen=seen)
    found = {name: counts[name].result(each) for name, each in metrics.items()}
    measured = {name: each for name, each in found.items() if each is not None}
    if measured:
        add_test(checkpoint, dataset, max(images.values()), measured)
    return metrics


def _temperatures(checkpoint: Path) -> dict[str, float]:
    try:
        return read_temperatures(checkpoint)
    except ValueError as error:  # No metric needs them.
        logging.warning("The card takes probabilities as they are: %s", error)
        return {}
