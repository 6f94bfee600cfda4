"""The two-head model that a user would write without this library, and what it is given."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task

EXPRESSION = Task.multiclass("expression", EXPRESSIONS)
UNITS = Task.multilabel("action_units", ACTION_UNITS)
TASKS = (EXPRESSION, UNITS)


def batch_of(count: int, shape: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """Return random inputs, labels and masks: half for each task.

    Args:
        count: Images.
        shape: Of each.
    """
    rng = np.random.default_rng(0)
    first = np.arange(count) < count // 2
    inputs = rng.uniform(-1, 1, (count, *shape)).astype(np.float32)
    labels = {
        "expression": np.eye(7, dtype=np.float32)[rng.integers(0, 7, count)],
        "action_units": rng.integers(0, 2, (count, 17)).astype(np.float32),
    }
    masks = {
        "expression": first.astype(np.float32),
        "action_units": np.repeat(~first[:, None], 17, axis=1).astype(np.float32),
    }
    return inputs, labels, masks


def resnet50(shape: tuple[int, ...]) -> keras.Model:
    """Return a ResNet-50 without a head, not trained."""
    return keras.applications.ResNet50(
        include_top=False, weights=None, input_shape=shape, pooling="avg"
    )


class Bare(keras.Model):
    """A backbone that trains on nothing but the squares of its features: no head, no log."""

    def __init__(self, backbone: keras.Model) -> None:
        super().__init__()
        self.backbone = backbone

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the features."""
        return self.backbone(inputs, training=training)

    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, **_: Any) -> Any:
        """Return the mean square of the features."""
        return ops.mean(ops.square(ops.cast(y_pred, "float32")))


class HandWritten(keras.Model):
    """The same two heads and losses as `MultiTaskModel`; logs the total loss only."""

    def __init__(self, backbone: keras.Model) -> None:
        super().__init__()
        self.backbone = backbone
        self.heads = {task.name: keras.layers.Dense(task.size, name=task.name) for task in TASKS}

    def call(self, inputs: Any, training: bool | None = None) -> dict[str, Any]:
        """Return the logits of both heads."""
        features = self.backbone(inputs, training=training)
        return {name: head(features) for name, head in self.heads.items()}

    def losses_of(self, y: Any, y_pred: Any, masks: Any) -> dict[str, Any]:
        """Return the masked cross entropies, each averaged over its annotated images."""
        mask = masks["expression"]
        classes = keras.losses.categorical_crossentropy(
            y["expression"], y_pred["expression"], from_logits=True
        )
        expression = ops.sum(classes * mask) / ops.maximum(ops.sum(mask), 1.0)
        mask = masks["action_units"]
        entries = ops.binary_crossentropy(
            y["action_units"], y_pred["action_units"], from_logits=True
        )
        units = ops.sum(entries * mask, axis=-1) / ops.maximum(ops.sum(mask, axis=-1), 1.0)
        labelled = ops.max(mask, axis=-1)
        total = ops.sum(units * labelled) / ops.maximum(ops.sum(labelled), 1.0)
        return {"expression": expression, "action_units": total}

    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, **_: Any) -> Any:
        """Return the sum of the losses."""
        return sum(self.losses_of(y, y_pred, sample_weight).values())


class HandWrittenWithLogs(HandWritten):
    """Logs what `MultiTaskModel` logs, as far as Keras has it.

    Both losses, accuracy and macro F1 of both tasks. The average accuracy and AFA are left out;
    an image counts with all action units or with none, where the library counts each.
    """

    def __init__(self, backbone: keras.Model) -> None:
        super().__init__(backbone)
        metrics = keras.metrics
        self.trackers = {task.name: metrics.Mean(name=f"{task.name}_loss") for task in TASKS}
        self.of_classes = [
            metrics.CategoricalAccuracy(name="expression_accuracy"),
            metrics.F1Score(average="macro", name="expression_f1"),
        ]
        self.of_units = [
            metrics.BinaryAccuracy(name="action_units_accuracy"),
            metrics.F1Score(average="macro", threshold=0.5, name="action_units_f1"),
        ]
        for metric, task in ((self.of_classes[1], EXPRESSION), (self.of_units[1], UNITS)):
            # F1Score makes its state at the first batch, too late inside a compiled step.
            metric.update_state(ops.zeros((1, task.size)), ops.zeros((1, task.size)))
            metric.reset_state()

    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, **_: Any) -> Any:
        """Return the sum of the losses and log each."""
        losses = self.losses_of(y, y_pred, sample_weight)
        for name, loss in losses.items():
            self.trackers[name].update_state(loss)
        return sum(losses.values())

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> dict[str, Any]:
        """Update the metrics with a batch and return all logs."""
        for metric in self.of_classes:
            metric.update_state(
                y["expression"], y_pred["expression"], sample_weight=sample_weight["expression"]
            )
        labelled = ops.max(sample_weight["action_units"], axis=-1)
        probabilities = ops.sigmoid(y_pred["action_units"])
        for metric in self.of_units:
            metric.update_state(y["action_units"], probabilities, sample_weight=labelled)
        return self.get_metrics_result()
