"""One training step a backend, for what Keras's own step cannot do.

Terms that see features, methods that see gradients, gradient gates (`gating`), and a look at the
same batch after the step. A
backend is a module with `train_step`, `test_step` and `term_gradients`; it is imported when it is
used, so that the model itself needs none.

The step of a method that sees gradients, with L_i the terms, g_i their gradients over its scope:

    G = <g_i, g_j> over the global batch, without loss scaling, in float32
    w = weigh(losses, present, G), or ones where G is not finite: the scaled gradients then are not
        either, the loss scaler sees them and skips the step
    shared weights:   sum_i w_i grad L_i + sum of the terms that are not balanced
    other weights:    the same, or the plain sum where the method leaves the heads alone
    own weights:      the gradient of the method's own loss
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import keras

BACKENDS = ("tensorflow", "jax")


def require_backend() -> str:
    """Return the backend's name if single terms' gradients can be taken on it.

    Raises:
        ValueError: If they cannot.
    """
    name = keras.backend.backend()
    if name not in BACKENDS:
        raise ValueError(
            f"Gradients of single terms need one of the backends {', '.join(BACKENDS)}, "
            f"this is {name!r}."
        )
    return name


def needed_for(model: Any) -> bool:
    """Return whether Keras's own training step will not do for a model's method or its replicas."""
    balancing = model.balancing
    # A step whose losses or gradients are not finite must leave weights and memory as they are.
    logged = model.log_gradients or model.log_weights
    seen = balancing.wants_losses or logged or bool(model.gates)
    return seen or _scales_on_replicas(model)


def _scales_on_replicas(model: Any) -> bool:
    # Keras's loss scaler asks the first replica alone whether gradients are finite, and lets those
    # of the others into the weights.
    if keras.backend.backend() != "tensorflow":
        return False
    scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    return scaled and model.distribute_strategy.num_replicas_in_sync > 1


def backend() -> ModuleType:
    """Return the steps of the backend in use.

    Raises:
        ValueError: If there are none.
    """
    return importlib.import_module(f"mtl_dm.models.steps.{require_backend()}_step")
