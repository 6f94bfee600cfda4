"""Which weights a step distinguishes."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from mtl_dm.balancing import Balancing, Seen
from mtl_dm.models.terms import Context

MOST_BYTES = 2**28
"""Of the terms' gradients that a step keeps at once."""


def is_shared(model: Any) -> list[bool]:
    """Return, for every trainable weight of a model, whether it is the backbone's."""
    shared = {id(variable) for variable in model.backbone.trainable_variables}
    return [id(variable) in shared for variable in model.trainable_variables]


def require_shared(model: Any) -> None:
    """Check that there are weights over which a method may compare gradients.

    Raises:
        ValueError: If the backbone has none that are trained.
    """
    if model.balancing.sees == "gradients" and not any(is_shared(model)):
        raise ValueError(
            f"The balancing method {type(model.balancing).__name__} compares gradients over the "
            f"shared weights, but the backbone {model.backbone.name!r} has none that are trained. "
            "Train a part of it, or take a method that sees no gradients."
        )


def last_kernel(model: Any) -> int:
    """Return the place, among the trainable weights, of the backbone's last kernel.

    That is the last one made with at least two axes: of a convolution or a dense layer, not a bias
    or the scale of a normalisation.

    Raises:
        ValueError: If the backbone has none.
    """
    kernels = [each for each in model.backbone.trainable_variables if len(each.shape) > 1]
    if not kernels:
        raise ValueError(
            "A balancing method with the scope 'last_layer' needs a backbone with a trainable "
            f"kernel; {model.backbone.name!r} has none."
        )
    return [id(variable) for variable in model.trainable_variables].index(id(kernels[-1]))


def keeps_rows(model: Any, count: int) -> bool:
    """Return whether a step keeps the gradients of all terms over all weights.

    It then makes the final gradient of them, without a further backward pass. They take
    count * weights * 4 bytes; beyond `MOST_BYTES` only their inner products are kept, unless the
    method smooths them.

    Args:
        model: Built.
        count: Of the terms that the method balances.
    """
    weights = sum(int(np.prod(each.shape)) for each in model.trainable_variables)
    small = 4 * count * weights <= MOST_BYTES
    return model.balancing.smooths or (model.balancing.scope == "shared" and small)


def groups(sources: Sequence[Any], count: int) -> list[list[Any]]:
    """Return arrays in order, in groups of which `count` gradients may be kept at once.

    The last ones come first: of their gradients, the backward passes are short.

    Args:
        sources: Of known shapes, but for the batch.
        count: Gradients of each.
    """
    found: list[list[Any]] = [[]]
    size = 0
    for source in reversed(sources):
        more = 4 * count * int(np.prod([each or 1 for each in source.shape]))
        if found[-1] and size + more > MOST_BYTES:
            found.append([])
            size = 0
        found[-1].append(source)
        size += more
    return found


def one_representation(features: Mapping[str, Any], scope: str) -> Any:
    """Return the features that all tasks share.

    Where tasks have features of their own the last kernel is that of one task's branch, which the
    terms of the others never reach.

    Args:
        features: By task.
        scope: Of the balancing method, for the message.

    Raises:
        ValueError: If tasks have features of their own.
    """
    first, *others = features.values()
    if any(other is not first for other in others):
        raise ValueError(
            f"A balancing method with the scope {scope!r} needs one representation for all "
            f"tasks; this backbone gives one to each of {sorted(features)}. Use scope=shared."
        )
    return first


def safe_weights(balancing: Balancing, seen: Seen) -> tuple[Any, Seen, Any]:
    """Return the weights, what was really seen, and whether the Gram matrix is finite.

    Where it is not, the method gets an identity and its weights are replaced by ones.
    """
    finite = ops.all(ops.isfinite(seen.gram))
    gram = ops.where(finite, seen.gram, ops.eye(len(seen.names)))
    safe = dataclasses.replace(seen, gram=gram)
    weights = balancing.balance(safe)
    if weights is None:
        weights = ops.ones((len(seen.names),))
    return ops.where(finite, ops.stop_gradient(weights), 1.0), safe, finite


def minds_finite(model: Any) -> bool:
    """Return whether a step whose gradients are not finite leaves something as it was.

    To look at all gradients costs a step something; gates look at their own.
    """
    balancing = model.balancing
    remembers = balancing.wants_losses or bool(balancing.non_trainable_variables)
    remembers = remembers or balancing.looks_after or bool(model.learning_terms)
    return remembers or isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)


def remember(balancing: Balancing, change: Callable[[], None], seen: Seen, finite: Any) -> None:
    """Let a method remember a step, unless its losses or gradients were not finite.

    Args:
        balancing: The method.
        change: Makes it remember.
        seen: Of the step.
        finite: Whether the gradients were finite on every replica.
    """
    if seen.losses is not None:
        finite = ops.logical_and(finite, ops.all(ops.isfinite(seen.losses)))
    _changed(balancing.non_trainable_variables, change, finite)


def learn_terms(model: Any, context: Context, finite: Any) -> None:
    """Let a model's terms remember a step, unless its losses or gradients were not finite.

    Args:
        model: The model.
        context: Of the step.
        finite: Whether they are finite on every replica.
    """
    for provider in model.learning_terms:
        change = functools.partial(provider.learn, context)
        _changed(provider.non_trainable_variables, change, finite)


def _changed(variables: Sequence[Any], change: Callable[[], None], taken: Any) -> None:
    """Change variables, and undo it where the step is not taken."""
    before = [ops.copy(variable) for variable in variables]
    change()
    for variable, old in zip(variables, before, strict=True):
        variable.assign(ops.where(taken, ops.convert_to_tensor(variable), old))


def learn(model: Any, seen: Seen) -> None:
    """Let a model's method learn from a step, from smoothed gradients too."""
    if seen.smooth is not None:
        model.balancing.keep(shared_variables(model), seen.smooth)
    model.balancing.learn(seen)


def shared_variables(model: Any) -> list[Any]:
    """Return the backbone's weights that are trained, in the model's order."""
    pairs = zip(model.trainable_variables, is_shared(model), strict=True)
    return [variable for variable, shared in pairs if shared]
