"""What `fit` does between steps: tell balancing of epochs, log gates, stop where a loss is NaN."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras

from mtl_dm.models.gradient_gate import openings

END = "_loss"


class Epochs(keras.callbacks.Callback):
    """Tells a model's balancing method that an epoch begins."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Call the method's hook."""
        del epoch, logs
        self.model.balancing.begin_epoch()


class NonFiniteLossError(ValueError):
    """A loss is NaN or infinite."""


class StopAtNonFinite(keras.callbacks.Callback):
    """Ends a training whose loss is NaN or infinite, and says which term's.

    Steps of this package leave the weights as they were before such a batch; on several replicas
    without loss scaling they add no gradient, but momentum and weight decay act. Keras's own step,
    for methods that see no losses, does not: then the last checkpoint is what is left.
    """

    def __init__(self) -> None:
        super().__init__()
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Remember the epoch."""
        del logs
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Look at the logs of a step.

        Raises:
            NonFiniteLossError: If a loss is not finite; names the terms, the epoch and the step.
        """
        logs = logs or {}
        if "loss" not in logs or math.isfinite(float(logs["loss"])):
            return
        bad = {
            name.removesuffix(END): float(value)
            for name, value in logs.items()
            if name.endswith(END) and not math.isfinite(float(value))
        }
        named = ", ".join(f"{name} ({value})" for name, value in bad.items())
        raise NonFiniteLossError(
            f"The loss of {named or 'the objective'} is not finite in step {batch + 1} of epoch "
            f"{self._epoch + 1}. Look for inputs or labels that are not finite, or use a smaller "
            "learning rate."
        )


class Gates(keras.callbacks.Callback):
    """Logs how far the gradient gates are open at the end of an epoch, "<task>_gate"."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add the openings to the logs, which later callbacks and the history get too."""
        del epoch
        if logs is not None:
            logs.update({f"{name}_gate": each for name, each in openings(self.model.gates).items()})


def callbacks_of(model: Any) -> list[keras.callbacks.Callback]:
    """Return what `fit` needs for a model."""
    found: list[keras.callbacks.Callback] = []
    if model.balancing.counts_epochs:
        found.append(Epochs())
    if model.balancing.wants_losses:
        found.append(StopAtNonFinite())
    if model.gates:
        found.append(Gates())
    return found
