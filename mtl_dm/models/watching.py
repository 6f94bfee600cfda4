"""What `fit` does between steps: tell balancing of epochs, log gates, stop where a loss is NaN."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from mtl_dm.models.finite import SHOWN, not_finite
from mtl_dm.models.gradient_gate import openings

END = "_loss"


class Epochs(keras.callbacks.Callback):
    """Tells a model's balancing method that an epoch begins."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Call the method's hook; before the first step there is nothing that it could look at."""
        del epoch, logs
        if self.model.balancing.built:
            self.model.balancing.begin_epoch()


class NonFiniteLossError(ValueError):
    """A loss is NaN or infinite."""


class StopAtNonFiniteEpoch(keras.callbacks.Callback):
    """Ends a training at the end of an epoch that left what is not finite, and says what.

    Steps cost nothing by it: Keras keeps a mean of each loss over the epoch anyway, which one NaN
    makes NaN.
    """

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Look at the losses of the epoch, and at the weights after its last step.

        Raises:
            NonFiniteLossError: If they are not finite; names the terms or the weights.
        """
        named = _named(not_finite(self.model.weights), [], logs or {})
        if named:
            raise NonFiniteLossError(
                f"In epoch {epoch + 1} {named} became NaN or infinite. Look for inputs or labels "
                "that are not finite, or use a smaller learning rate; weights that are not finite "
                "stay so."
            )


class StopAtNonFinite(keras.callbacks.Callback):
    """Ends a training whose loss is NaN or infinite, and says which term's.

    Steps of this package leave the weights as they were before such a batch; on several replicas
    without loss scaling they add no gradient, but momentum and weight decay act. Keras's own step,
    for methods that see no losses, does not: then the last checkpoint is what is left. No
    checkpoint and no state is saved of an epoch after which a weight is not finite.

    Args:
        example: Returns a batch of inputs; what the model says of it at the end of an epoch must be
            finite, too. None: that is not looked at.
    """

    def __init__(self, example: Callable[[], Any] | None = None) -> None:
        super().__init__()
        self._example = example
        self._epoch = self._steps = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Remember the epoch."""
        del logs
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Look at what the last step left, which no loss has seen, before it is saved.

        Raises:
            NonFiniteLossError: If weights, outputs or losses on validation data are not finite.
        """
        weights = not_finite(self.model.weights)
        named = _named(weights, [] if weights else self._not_finite_outputs(), logs or {})
        if not named:
            return
        raise NonFiniteLossError(
            f"After step {self._steps}, the last one of epoch {epoch + 1}, {named} are not finite. "
            "Nothing of this epoch is saved. Use a smaller learning rate."
        )

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Look at the logs of a step.

        Raises:
            NonFiniteLossError: If a loss is not finite; names the terms, the epoch and the step.
        """
        self._steps = batch + 1
        logs = logs or {}
        if "loss" not in logs or math.isfinite(float(logs["loss"])):
            return
        named = _not_finite_losses(logs) or "the objective"
        raise NonFiniteLossError(
            f"The loss of {named} is not finite in step {batch + 1} of epoch "
            f"{self._epoch + 1}. Look for inputs or labels that are not finite, or use a smaller "
            "learning rate."
        )

    def _not_finite_outputs(self) -> list[str]:
        if self._example is None:
            return []
        outputs = self.model(self._example(), training=False)
        return [
            name
            for name, values in outputs.items()
            if not np.isfinite(keras.ops.convert_to_numpy(values)).all()
        ]


def _named(weights: Sequence[str], outputs: Sequence[str], logs: Mapping[str, Any]) -> str:
    """Return what is not finite in words, nothing where all is."""
    bad = _not_finite_losses(logs)
    if not bad and not math.isfinite(float(logs.get("loss", 0.0))):
        bad = "the objective"
    named = [f"the weights {', '.join(weights[:SHOWN])}"] if weights else []
    named += [f"the outputs of {', '.join(outputs)}"] if outputs else []
    named += [f"the loss of {bad}"] if bad else []
    return " and ".join(named)


def _not_finite_losses(logs: Mapping[str, Any]) -> str:
    """Return the terms whose losses are NaN or infinite, each with its value."""
    bad = {
        name.removesuffix(END): float(value)
        for name, value in logs.items()
        if name.endswith(END) and not math.isfinite(float(value))
    }
    return ", ".join(f"{name} ({value})" for name, value in bad.items())


class Gates(keras.callbacks.Callback):
    """Logs how far the gradient gates are open at the end of an epoch, "<task>_gate"."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add the openings to the logs, which later callbacks and the history get too."""
        del epoch
        if logs is not None:
            logs.update({f"{name}_gate": each for name, each in openings(self.model.gates).items()})


def callbacks_of(
    model: Any, given: Sequence[keras.callbacks.Callback] = ()
) -> list[keras.callbacks.Callback]:
    """Return what `fit` needs for a model, beside what it was given."""
    found: list[keras.callbacks.Callback] = []
    if model.balancing.counts_epochs:
        found.append(Epochs())
    if model.balancing.wants_losses:
        found.append(StopAtNonFinite())
    elif not any(isinstance(each, StopAtNonFinite) for each in given):
        found.append(StopAtNonFiniteEpoch())
    if model.gates:
        found.append(Gates())
    return found
