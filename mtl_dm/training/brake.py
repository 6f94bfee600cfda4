"""A brake on coupling terms that would make a task worse on validation data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtl_dm.models import MultiTaskModel

FACTOR = 0.5
ERRORS = 2.0
BATCH = 64


def require_backend() -> None:
    """Check that the brake works here.

    Raises:
        ValueError: Under another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"The brake needs the TensorFlow backend, this is {keras.backend.backend()!r}."
        )


class Brake(keras.callbacks.Callback):
    """Halves a coupling term that, beyond noise, raises a task's validation loss.

    After each epoch it asks what a small step against the gradient of a term would do to each
    task's loss on validation images. With g the gradient of the term on training images and h_b
    that of the task's loss on validation batch b, both over all trainable weights, the loss on b
    changes by -<g, h_b> per unit of step. Criterion: the mean of -<g, h_b> over the batches is more
    than two standard errors above 0. The idea of judging an auxiliary loss by the direction of its
    gradient is Du et al. 2018's; the test over batches is this project's. Needs no second model
    and no search; looks at one step only, and cannot see what a term does in the long run.

    Args:
        training: Batched (input, labels, masks) to take the term's gradient on; a few batches.
        validation: The same, of validation images.
        limit: Most batches of each.
        verbose: Print a line whenever it brakes.

    Raises:
        ValueError: Under another backend than TensorFlow.
    """

    def __init__(
        self,
        training: tf.data.Dataset,
        validation: tf.data.Dataset,
        *,
        limit: int = 8,
        verbose: bool = True,
    ) -> None:
        super().__init__()
        require_backend()
        # The same batches after every epoch, and in a training that goes on: a stream that shuffles
        # gives other ones each time it is read.
        self._training = training.take(limit).cache()
        self._validation = validation.take(limit).cache()
        self._verbose = verbose

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Brake the terms that the criterion names."""
        del logs
        for name, task, loss in conflicts(self.model, self._training, self._validation):
            scale = self.model.coupling_scales[name]
            scale.assign(FACTOR * scale)
            if self._verbose:
                print(
                    f"After epoch {epoch + 1}: {name} is reduced to {float(scale.numpy()):.3g} of "
                    f"its factor, since a step along it raises the validation loss of {task} "
                    f"({loss:+.2g} per unit of step).",
                    flush=True,
                )


def conflicts(
    model: MultiTaskModel, training: tf.data.Dataset, validation: tf.data.Dataset
) -> list[tuple[str, str, float]]:
    """Return coupling terms that raise a task's loss: name, task, mean change of the loss.

    Each term once, with the task that it harms most. Terms that are off are left out.

    Args:
        model: A built model.
        training: Batched (input, labels, masks).
        validation: The same; at least two batches with labels of a task to judge it by.
    """
    names = [name for name in model.coupling_names() if float(model.coupling_scales[name].numpy())]
    terms: dict[str, np.ndarray] = {}
    for batch in training:
        for name, gradient in _gradients(model, batch, names).items():
            terms[name] = terms.get(name, 0.0) + gradient
    tasks: dict[str, list[np.ndarray]] = {task.name: [] for task in model.tasks}
    for batch in validation:
        for name, gradient in _gradients(model, batch, list(tasks)).items():
            if gradient.any():
                tasks[name].append(gradient)
    found = []
    for name, term in terms.items():
        harmed = []
        for task, gradients in tasks.items():
            change = np.array([-float(term @ gradient) for gradient in gradients])
            if len(change) > 1 and change.mean() > ERRORS * change.std(ddof=1) / len(change) ** 0.5:
                harmed.append((change.mean(), task))
        if harmed:
            worst, task = max(harmed)
            found.append((name, task, float(worst)))
    return found


def _gradients(model: MultiTaskModel, batch: Any, names: list[str]) -> Mapping[str, np.ndarray]:
    """Return the gradient of each named loss term, all trainable weights in one vector."""
    inputs, labels, masks = batch
    variables = [variable.value for variable in model.trainable_variables]
    with tf.GradientTape(persistent=True) as tape:
        losses = model.losses_by_term(labels, model(inputs, training=False), masks)
    vectors = {}
    for name in names:
        parts = tape.gradient(losses[name], variables, unconnected_gradients="zero")
        vectors[name] = np.concatenate(
            [tf.convert_to_tensor(part).numpy().ravel() for part in parts]
        )
    return vectors
