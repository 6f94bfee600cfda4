"""A gate on loss terms that would make a task worse on validation data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy import stats

from mtl_dm.models import MultiTaskModel
from mtl_dm.models.steps import backend, require_backend

Gradients = Callable[[Any, Sequence[str]], dict[str, np.ndarray]]
"""From a batch (inputs, labels, masks) and names of terms to a gradient each: all trainable weights
in one vector."""

FACTOR = 0.5
RESTORING = FACTOR**-0.1
"""Ten harmless epochs undo one reduction; errors reduce about once in twenty."""
LEAST = FACTOR**10
"""As good as off, and still told from a term that is off."""
LEVEL = 0.05
"""Probability of reducing a term for the sake of a task that it does no harm."""
BATCH = 64
BATCHES = 8


class ValidationGate(keras.callbacks.Callback):
    """Halves a coupling or added term that, beyond noise, raises a task's validation loss.

    After each epoch it asks what a small step against the gradient of a term would do to each
    task's loss on validation images. With g the gradient of the term on training images and h_b
    that of the task's loss on validation batch b, both over all trainable weights, the loss on b
    changes by -<g, h_b> per unit of step. Criterion: for some task a one-sided t test over the
    batches finds the mean of -<g, h_b> above 0 at level `LEVEL`. The idea of judging an
    auxiliary loss by the direction of its gradient is Du et al. 2018's; the test over batches is
    this project's. Needs no second model and no search; looks at one step only, and cannot see what
    a term does in the long run.

    A test errs now and then, and over a long training errors would add up until every term is off.
    So a term that was reduced grows again, up to its factor, by `RESTORING` after an epoch in which
    it harms nothing: slowly, since what is reduced is harder to convict.

    Args:
        training: Batched (input, labels, masks) to take the term's gradient on; a few batches.
        validation: The same, of validation images.
        limit: Most batches of each.
        verbose: Print a line whenever it reduces a term or has restored one.

    Raises:
        ValueError: Under another backend than TensorFlow and JAX.
    """

    def __init__(
        self,
        training: tf.data.Dataset,
        validation: tf.data.Dataset,
        *,
        limit: int = BATCHES,
        verbose: bool = True,
    ) -> None:
        super().__init__()
        require_backend()
        # The same batches after every epoch, and in a training that goes on: a stream that shuffles
        # gives other ones each time it is read.
        self._training = training.take(limit).cache()
        self._validation = validation.take(limit).cache()
        self._verbose = verbose
        self._gradients: Gradients | None = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Reduce the terms that the criterion names, restore the others."""
        del logs
        if self._gradients is None:
            self._gradients = backend().term_gradients(self.model)
        harmful = conflicts(self.model, self._gradients, self._training, self._validation)
        for name, scale in self.model.term_scales.items():
            before = _value(scale)
            after = moved(before, name in harmful)
            if after == before:
                continue
            scale.assign(after)
            said = ""
            if name in harmful:
                task, loss = harmful[name]
                said = (
                    f"reduced to {after:.3g} of its factor, since a step along it raises the "
                    f"validation loss of {task} ({loss:+.2g} per unit of step)"
                )
            elif after == 1:
                said = "back at its factor"
            if said and self._verbose:
                print(f"After epoch {epoch + 1}: {name} is {said}.", flush=True)


def moved(scale: float, harmful: bool) -> float:
    """Return the scale of a term after an epoch: half, or a bit more and at most 1; 0 stays 0.

    Args:
        scale: Before, 0 (off) or from `LEAST` to 1.
        harmful: Whether the term raises a task's loss.
    """
    if harmful:
        return max(min(scale, LEAST), FACTOR * scale)
    return min(1.0, RESTORING * scale)


def conflicts(
    model: MultiTaskModel,
    gradients: Gradients,
    training: tf.data.Dataset,
    validation: tf.data.Dataset,
) -> dict[str, tuple[str, float]]:
    """Return the terms beside the tasks' that raise a task's loss: by name the task, by how much.

    The task is the one that is harmed most. Terms that are off are left out.

    Args:
        model: A built model.
        gradients: `models.steps.backend().term_gradients` of the model.
        training: Batched (input, labels, masks).
        validation: The same; at least two batches with labels of a task to judge it by.
    """
    names = [name for name, scale in model.term_scales.items() if _value(scale)]
    terms: dict[str, np.ndarray] = {}
    for batch in training:
        for name, gradient in gradients(batch, names).items():
            terms[name] = terms.get(name, 0.0) + gradient
    tasks: dict[str, list[np.ndarray]] = {task.name: [] for task in model.tasks}
    for batch in validation:
        for name, gradient in gradients(batch, list(tasks)).items():
            if gradient.any():
                tasks[name].append(gradient)
    found = {}
    for name, term in terms.items():
        harmed = []
        for task, of_batches in tasks.items():
            change = np.array([-float(term @ gradient) for gradient in of_batches])
            if len(change) < 2:
                continue
            error = change.std(ddof=1) / len(change) ** 0.5
            if change.mean() > stats.t.isf(LEVEL, len(change) - 1) * error:
                harmed.append((change.mean(), task))
        if harmed:
            worst, task = max(harmed)
            found[name] = (task, float(worst))
    return found


def _value(scale: Any) -> float:
    return float(keras.ops.convert_to_numpy(scale))
