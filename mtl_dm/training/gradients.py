"""Gradients of single loss terms, on TensorFlow and on JAX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtl_dm import processes
from mtl_dm.models import MultiTaskModel

Gradients = Callable[[Any, Sequence[str]], dict[str, np.ndarray]]
"""From a batch (inputs, labels, masks) and names of loss terms to a gradient each: all trainable
weights in one vector."""

SCALE = 2.0**10
"""On the losses while gradients are taken, so that float16 does not lose the small ones."""


def term_gradients(model: MultiTaskModel) -> Gradients:
    """Return the gradients of a model's loss terms as a function of a batch.

    Terms are without their factors, the network as it predicts (no dropout, running averages). The
    function follows the model's weights; it should be kept, since on JAX it compiles. Every process
    of several computes the same by itself.

    Args:
        model: A built model.

    Raises:
        ValueError: Under another backend than TensorFlow and JAX.
    """
    return _BACKENDS[require_backend()](model)


def require_backend() -> str:
    """Return the backend's name if gradients can be taken on it.

    Raises:
        ValueError: If they cannot.
    """
    backend = keras.backend.backend()
    if backend not in _BACKENDS:
        raise ValueError(
            f"Gradients of single terms need one of the backends {', '.join(_BACKENDS)}, "
            f"this is {backend!r}."
        )
    return backend


def _on_tensorflow(model: MultiTaskModel) -> Gradients:
    def gradients(batch: Any, names: Sequence[str]) -> dict[str, np.ndarray]:
        inputs, labels, masks = batch
        # Of replicas the first: outside a step the network reads the weights there.
        strategy = model.distribute_strategy
        variables = [
            strategy.experimental_local_results(variable.value)[0]
            for variable in model.trainable_variables
        ]
        with tf.GradientTape(persistent=True) as tape:
            losses = model.losses_by_term(labels, model(inputs, training=False), masks)
            scaled = {name: SCALE * losses[name] for name in names}
        return {
            name: _vector(
                tf.convert_to_tensor(part)
                for part in tape.gradient(scaled[name], variables, unconnected_gradients="zero")
            )
            for name in names
        }

    return gradients


def _on_jax(model: MultiTaskModel) -> Gradients:
    import jax

    groups = (model.trainable_variables, model.non_trainable_variables)

    def loss(trainable: Any, fixed: Any, factors: Any, batch: Any) -> Any:
        inputs, labels, masks = batch
        values = zip([*groups[0], *groups[1]], [*trainable, *fixed], strict=True)
        with keras.StatelessScope(state_mapping=list(values)):
            losses = model.losses_by_term(labels, model(inputs, training=False), masks)
        return SCALE * sum(factor * losses[name] for name, factor in factors.items())

    # The factors are arguments, so that all terms share one compilation.
    compiled = jax.jit(jax.grad(loss))

    def gradients(batch: Any, names: Sequence[str]) -> dict[str, np.ndarray]:
        arrays = tf.nest.map_structure(np.asarray, tuple(batch))
        weights = [[_local(variable) for variable in group] for group in groups]
        terms = [*(task.name for task in model.tasks), *model.coupling_names()]
        return {
            name: _vector(compiled(*weights, {term: float(term == name) for term in terms}, arrays))
            for name in names
        }

    return gradients


def _local(variable: Any) -> Any:
    """Return a weight where it can meet images that this process has to itself."""
    if processes.count() == 1:
        return variable.value
    return keras.ops.convert_to_numpy(variable)


def _vector(parts: Any) -> np.ndarray:
    return np.concatenate([np.asarray(part, np.float32).ravel() for part in parts]) / SCALE


_BACKENDS: dict[str, Callable[[MultiTaskModel], Gradients]] = {
    "tensorflow": _on_tensorflow,
    "jax": _on_jax,
}
