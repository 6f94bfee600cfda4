"""A model whose outputs are probabilities instead of logits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from mtl_dm.models import MultiTaskModel

INPUT = "image"
"""Name of the exported models' input."""


class Probabilities(keras.layers.Layer):
    """Softmax or sigmoid of each task's logits over its temperature; regressions stay.

    Args:
        kinds: By task, its kind.
        temperatures: By task; 1 for those that are not named.
    """

    def __init__(self, kinds: Mapping[str, str], temperatures: Mapping[str, float]) -> None:
        super().__init__(dtype="float32")
        self._kinds = dict(kinds)
        self._temperatures = dict(temperatures)

    def call(self, logits: Mapping[str, Any]) -> dict[str, Any]:
        """Return probabilities [B, size] by task."""
        return {name: self._of(name, ops.cast(logits[name], "float32")) for name in self._kinds}

    def _of(self, name: str, logits: Any) -> Any:
        scaled = logits / self._temperatures.get(name, 1.0)
        if self._kinds[name] == "multiclass":
            return ops.softmax(scaled, axis=-1)
        return ops.sigmoid(scaled) if self._kinds[name] == "multilabel" else logits


def with_probabilities(
    model: MultiTaskModel, size: int, temperatures: Mapping[str, float]
) -> keras.Model:
    """Return a model from images [B, size, size, 3] in [-1, 1] to probabilities by task.

    Args:
        model: A model of images.
        size: Side of its input.
        temperatures: By task.
    """
    image = keras.Input((size, size, 3), name=INPUT)
    kinds = {task.name: task.kind for task in model.tasks}
    outputs = Probabilities(kinds, temperatures)(model(image, training=False))
    wrapped = keras.Model(image, outputs)
    # Keras exports only models that have been called.
    wrapped(np.zeros((1, size, size, 3), np.float32))
    return wrapped
