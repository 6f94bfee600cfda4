"""What `fit` does between steps: tell a balancing method of epochs, stop at losses of no number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras

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


def callbacks_of(balancing: Any) -> list[keras.callbacks.Callback]:
    """Return what `fit` needs for a balancing method."""
    found: list[keras.callbacks.Callback] = []
    if balancing.counts_epochs:
        found.append(Epochs())
    if balancing.wants_losses:
        found.append(StopAtNonFinite())
    return found
