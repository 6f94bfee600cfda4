"""A model whose outputs are probabilities instead of logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from mtl_dm.models import MultiTaskModel
from mtl_dm.models.inputs import Inputs, InputSpec, random_inputs
from mtl_dm.tasks import Task

IMAGE, ARRAY = "image", "inputs"
"""Name of the only input of an exported model: an image, or any other array."""


class Probabilities(keras.layers.Layer):
    """Softmax or sigmoid of each task's logits over its temperature; regressions are clipped.

    As `mtl_dm.metrics.probabilities`: to the bounds of the task, where it has any.

    Args:
        tasks: The tasks.
        temperatures: By task; 1 for those that are not named.
    """

    def __init__(self, tasks: Sequence[Task], temperatures: Mapping[str, float]) -> None:
        super().__init__(dtype="float32")
        self._tasks = tuple(tasks)
        self._temperatures = dict(temperatures)

    def call(self, logits: Mapping[str, Any]) -> dict[str, Any]:
        """Return probabilities [B, size] by task."""
        return {
            task.name: self._of(task, ops.cast(logits[task.name], "float32"))
            for task in self._tasks
        }

    def _of(self, task: Task, logits: Any) -> Any:
        scaled = logits / self._temperatures.get(task.name, 1.0)
        if task.kind == "multiclass":
            return ops.softmax(scaled, axis=-1)
        if task.kind == "multilabel":
            return ops.sigmoid(scaled)
        return logits if task.bounds is None else ops.clip(logits, *task.bounds)


def with_probabilities(
    model: MultiTaskModel, inputs: Inputs, temperatures: Mapping[str, float]
) -> keras.Model:
    """Return a model from what `model` takes to probabilities by task.

    Args:
        model: A built model.
        inputs: What it takes; a dictionary keeps its names.
        temperatures: By task.
    """
    entries: Any = (
        _entry(input_name(inputs), inputs)
        if isinstance(inputs, InputSpec)
        else {name: _entry(name, spec) for name, spec in inputs.items()}
    )
    outputs = Probabilities(model.tasks, temperatures)(model(entries, training=False))
    wrapped = keras.Model(entries, outputs)
    # Keras exports only models that have been called.
    wrapped(random_inputs(inputs, 1, seed=0))
    return wrapped


def input_name(spec: InputSpec) -> str:
    """Return what the only input of an exported model is called."""
    return IMAGE if spec.is_image else ARRAY


def _entry(name: str, spec: InputSpec) -> Any:
    return keras.Input(spec.shape, name=name, dtype=spec.dtype)
