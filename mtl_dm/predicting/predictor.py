"""Aligned faces -> probabilities by task and label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from mtl_dm import data, faces
from mtl_dm.memory import require_batch
from mtl_dm.metrics import probabilities
from mtl_dm.models import MultiTaskModel
from mtl_dm.models.finite import require_finite_outputs

Prediction = dict[str, dict[str, float]]
"""By task and label: a probability, or the value of a regression, within its bounds."""


def input_size(model: MultiTaskModel) -> int:
    """Return the side of the square images that a model takes.

    Raises:
        ValueError: If it takes anything else; the message names its inputs.
    """
    names = _named_inputs(model.backbone)
    if names is not None:
        raise ValueError(
            "The checkpoint must take square colour images and nothing else; its inputs are "
            f"{', '.join(f'{name} {shape}' for name, shape in names.items())}."
        )
    shape = getattr(model.backbone, "input_shape", None)
    if (
        not isinstance(shape, tuple)
        or len(shape) != 4
        or shape[1] is None
        or shape[1:] != (shape[1], shape[1], 3)
    ):
        raise ValueError(f"The checkpoint must take square colour images; its input is {shape}.")
    return int(shape[1])


def _named_inputs(backbone: keras.layers.Layer) -> dict[str, Any] | None:
    """Return name -> shape of several inputs, or of a dictionary; None: it takes one array."""
    inputs = getattr(backbone, "input", None)
    if isinstance(inputs, Mapping):
        return {name: keras.tree.map_structure(_shape, value) for name, value in inputs.items()}
    if isinstance(inputs, (list, tuple)):
        return {tensor.name: _shape(tensor) for tensor in keras.tree.flatten(inputs)}
    return None


def _shape(tensor: Any) -> str:
    return str(tuple(tensor.shape))


class Predictor:
    """Predicts aligned faces in batches of one size.

    The last batch is filled up with grey: a kernel may sum in another order for another batch
    size, and a face would then get other last digits alone than in company. May be called in
    several threads at a time.

    Args:
        model: A model of images.
        temperatures: By task; 1 for those that are not named.
        batch_size: Faces a batch.

    Raises:
        ValueError: If the model takes no square images, a temperature belongs to no task, or the
            batch size is below 1.
    """

    def __init__(
        self, model: MultiTaskModel, temperatures: Mapping[str, float], batch_size: int = 32
    ) -> None:
        self.size = input_size(model)
        self.tasks = model.tasks
        self.batch_size = batch_size
        unknown = sorted(set(temperatures) - {task.name for task in model.tasks})
        if unknown:
            raise ValueError(
                f"Temperatures for {unknown}, but the tasks are "
                f"{[task.name for task in model.tasks]}."
            )
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}.")
        require_batch(batch_size, (self.size, self.size, 3))
        model.make_predict_function()  # Threads that call at once would each make one.
        self._model = model
        self._temperatures = dict(temperatures)

    def __call__(self, crops: Sequence[faces.Image]) -> list[Prediction]:
        """Return a prediction for each aligned face, uint8 [side, side, 3]."""
        found: list[Prediction] = []
        for start in range(0, len(crops), self.batch_size):
            found += self._batch(crops[start : start + self.batch_size])
        return found

    def _batch(self, crops: Sequence[faces.Image]) -> list[Prediction]:
        images = np.zeros((self.batch_size, self.size, self.size, 3), np.float32)
        # All of a size at once: to call TensorFlow takes longer than to turn a face into numbers.
        for shape in {crop.shape for crop in crops}:
            rows = [row for row, crop in enumerate(crops) if crop.shape == shape]
            images[rows] = data.network_input(np.stack([crops[row] for row in rows]), self.size)
        # Compiled once for the one batch size: call by call costs more than a small network.
        logits = self._model.predict_on_batch(images)
        require_finite_outputs(logits)
        stated = {
            task.name: probabilities(
                task, logits[task.name], self._temperatures.get(task.name, 1.0)
            )
            for task in self.tasks
        }
        return [self._named(stated, row) for row in range(len(crops))]

    def _named(self, stated: Mapping[str, Any], row: int) -> Prediction:
        return {
            task.name: dict(zip(task.labels, map(float, stated[task.name][row]), strict=True))
            for task in self.tasks
        }
