"""Backward passes a term on TensorFlow: through its head first, then through the network."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Passes:
    """What the gradients of T terms are taken from.

    A term of a task or a coupling depends on shared weights through what the backbone returned
    alone. Its gradient there, the cotangent, costs a look at its own head; from there on a pass is
    the same for every term.

    Attributes:
        tape: Of the forward pass, persistent.
        boundary: Tensors that the backbone returned, `apart`: a path to the weights crosses one of
            them alone.
        cotangents: For each of them [T', ...], of the first T' terms.
        direct: The other terms, which may reach weights without the boundary.
    """

    tape: tf.GradientTape
    boundary: Sequence[Any]
    cotangents: Sequence[Any]
    direct: Sequence[Any]

    @property
    def count(self) -> int:
        """T."""
        return (self.cotangents[0].shape[0] if self.cotangents else 0) + len(self.direct)

    def rows(self, sources: Sequence[Any]) -> list[Any]:
        """Return the gradients [T, ...] of all terms, float32, one term after another.

        Args:
            sources: Weights.
        """
        if not sources:
            return []
        through = self._mapped(sources) if self.cotangents else []
        passes = [gradients_of(self.tape, target, sources) for target in self.direct]
        direct = [tf.stack(parts) for parts in zip(*passes, strict=True)]
        if not through or not direct:
            return through or direct
        return [tf.concat(both, 0) for both in zip(through, direct, strict=True)]

    def _mapped(self, sources: Sequence[Any]) -> list[Any]:
        """Return gradients by a loop in the graph.

        Passes side by side take T times as long to trace, and the memory of all of them at once.
        But a loop has no place for the sums over replicas that a gradient may hold.
        """

        def one(cotangents: Any) -> list[Any]:
            return gradients_of(self.tape, list(self.boundary), sources, list(cotangents))

        if tf.distribute.get_strategy().num_replicas_in_sync > 1:
            terms = zip(*(tf.unstack(each) for each in self.cotangents), strict=True)
            passes = [one(cotangents) for cotangents in terms]
            return [tf.stack(parts) for parts in zip(*passes, strict=True)]
        shapes = [tf.TensorSpec(each.shape, "float32") for each in sources]
        return tf.map_fn(
            one, tuple(self.cotangents), fn_output_signature=shapes, parallel_iterations=1
        )


def apart(returned: Any) -> Any:
    """Return what a backbone returned, each of its tensors as one of its own.

    A backbone may return what its other outputs are made of too. The gradient at such a tensor
    holds what comes through those outputs, which their own gradients bring along once more. At
    copies that the terms see, made under the tape, the parts of a gradient only add up.

    Args:
        returned: A structure; what is one tensor stays one.
    """
    copies: dict[int, Any] = {}

    def copied(each: Any) -> Any:
        if not tf.is_tensor(each):
            return each
        if id(each) not in copies:
            copies[id(each)] = tf.identity(each)
        return copies[id(each)]

    return tf.nest.map_structure(copied, returned)


def passes_of(
    model: Any,
    tape: tf.GradientTape,
    targets: Mapping[str, Any],
    features: Mapping[str, Any],
    extras: Mapping[str, Any],
) -> Passes:
    """Return the passes of a model's balanced terms.

    Args:
        model: The model.
        tape: Of the forward pass.
        targets: By name, in the order of the objective: tasks and couplings come first.
        features: By task, `apart` with the extras.
        extras: What else the backbone returned.
    """
    tensors = tf.nest.flatten([dict(features), dict(extras)])
    boundary = [
        each for each in {id(each): each for each in tensors}.values() if each.dtype.is_floating
    ]
    of_heads = [name for name in targets if name in model.head_terms]
    looks = [gradients_of(tape, targets[name], boundary) for name in of_heads]
    cotangents = [
        tf.cast(tf.stack(parts), tensor.dtype)
        for parts, tensor in zip(zip(*looks, strict=True), boundary, strict=False)
    ]
    direct = [target for name, target in targets.items() if name not in model.head_terms]
    return Passes(tape, boundary, cotangents, direct)


def rows_at(tape: tf.GradientTape, targets: Mapping[str, Any], source: Any) -> Any:
    """Return the gradients [T, ...] of all terms, float32, at a tensor that is near to them.

    Args:
        tape: Of the forward pass, persistent.
        targets: By name.
        source: As the backbone returned it: what else is made of it there counts too.
    """
    return tf.stack([gradients_of(tape, target, [source])[0] for target in targets.values()])


def gradients_of(
    tape: tf.GradientTape, target: Any, sources: Sequence[Any], factors: Any = None
) -> list[Any]:
    """Return the gradients of a target, float32, zeros where it does not depend on a source.

    Args:
        tape: Of the forward pass.
        target: A tensor, or a list of them, whose gradients add up.
        sources: Weights or tensors.
        factors: Of the targets, in their shapes; None: ones.
    """
    found = tape.gradient(target, sources, output_gradients=factors, unconnected_gradients="zero")
    return [tf.cast(tf.convert_to_tensor(each), "float32") for each in found]
