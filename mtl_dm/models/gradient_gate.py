"""A gate on the gradient that couplings give a head, opened by what other labelled images say.

Shapes: B images of this replica, D features, P parts of a network, L labels of a head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from mtl_dm.losses.confirmation import (
    Evidence,
    centred,
    cosine,
    head_gradient,
    length,
    opening,
    with_step,
)

OPEN, SHUT = 0.99, 0.01
"""Openings from which, and up to which, a gate is said to be open or closed."""


class GatedLogits(NamedTuple):
    """The logits of a gated head, once for each who looks, so that gradients can be told apart.

    Attributes:
        own: [B, L], or [B, P, L] of a network in parts, as the task's own loss sees them.
        coupled: [B, L], as gated couplings see them.
    """

    own: Any
    coupled: Any


class AtLogits(NamedTuple):
    """What a step says of a gated head.

    Attributes:
        features: [B, D] or [B, P, D].
        own: Gradient of the task's own loss at `GatedLogits.own`; of parts each by itself or their
            sum.
        coupled: Gradient of the gated couplings at `GatedLogits.coupled`.
    """

    features: Any
    own: Any
    coupled: Any


class GradientGate(keras.layers.Layer):
    """Lets a part of the couplings' gradient through to a head; see `mtl_dm.losses.confirmation`.

    It starts closed. What it remembers are weights, so that checkpoints hold them.

    Args:
        size: Labels of the head.
        **kwargs: As for `keras.layers.Layer`.
    """

    def __init__(self, size: int, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")  # Also under mixed precision: it counts.
        super().__init__(**kwargs)
        self.size = size

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make what is remembered.

        Args:
            input_shape: Of the head's features, [..., D].
        """
        width = input_shape[-1]
        self.opening = self._memory("opening", ())
        self._evidence = self._memory("evidence", (len(Evidence._fields),))
        self._own = self._memory("own", (width, self.size))
        self._coupled = self._memory("coupled", (width, self.size))
        self.built = True

    def _memory(self, name: str, shape: tuple[int | None, ...]) -> Any:
        return self.add_weight(
            name=name,
            shape=shape,
            initializer="zeros",
            trainable=False,
            # Every replica comes to the same values by itself.
            aggregation="only_first_replica",
        )

    def passed(self, logits: Any) -> Any:
        """Return logits of the same values whose gradient is multiplied by the opening."""
        fixed = ops.stop_gradient(logits)
        return fixed + ops.convert_to_tensor(self.opening) * (logits - fixed)

    def learn(self, at: AtLogits, counted: Any, taken: Any) -> None:
        """Judge the couplings of the step before and remember those of this one.

        A step without a label of the task, or without a coupling, leaves what it says nothing of
        as it is. Parts of a network are judged by their mean features.

        Args:
            at: What the step says.
            counted: [B], 1 for real images, 0 for virtual ones; None: all are real.
            taken: Whether the step is taken: its gradients are finite.
        """
        features, own = ops.cast(at.features, "float32"), at.own
        features = ops.mean(features, axis=1) if len(features.shape) == 3 else features
        own = ops.sum(own, axis=1) if len(own.shape) == 3 else own
        seen = centred(features, counted)
        own, coupled = head_gradient(seen, own), head_gradient(seen, at.coupled)
        before, long = ops.convert_to_tensor(self._own), length(own)
        asked = ops.convert_to_tensor(self._coupled)
        evidence = Evidence(*ops.unstack(ops.convert_to_tensor(self._evidence)))
        judged = ops.logical_and(long > 0, length(asked) > 0)
        judged = ops.logical_and(taken, ops.logical_and(judged, length(before) > 0))
        found = with_step(evidence, cosine(asked, own), cosine(before, own), long)
        _assign(self._evidence, ops.stack(found), judged)
        _assign(self.opening, opening(found), judged)
        _assign(self._own, own, ops.logical_and(taken, long > 0))
        _assign(self._coupled, coupled, ops.logical_and(taken, length(coupled) > 0))

    def load_own_variables(self, store: Any) -> None:
        """Load what it remembers; of a model saved before there were gates there is nothing."""
        if store.keys():
            super().load_own_variables(store)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make the same gate, closed."""
        return {**super().get_config(), "size": self.size}


def _assign(variable: Any, value: Any, where: Any) -> None:
    variable.assign(ops.where(where, value, ops.convert_to_tensor(variable)))


def gated_logits(
    gates: Mapping[str, GradientGate], whole: Mapping[str, Any], parts: Mapping[str, Any]
) -> dict[str, GatedLogits]:
    """Return the logits of gated heads by task.

    Args:
        gates: By task.
        whole: By task, [B, L].
        parts: By task of a network in parts, [B, P, L].
    """
    return {
        name: GatedLogits(parts.get(name, whole[name]), gate.passed(whole[name]))
        for name, gate in gates.items()
    }


def openings(gates: Mapping[str, GradientGate]) -> dict[str, float]:
    """Return how far each gate is open, in [0, 1], by task."""
    return {
        name: float(ops.convert_to_numpy(gate.opening))
        for name, gate in gates.items()
        if gate.built
    }


def in_words(found: Mapping[str, float]) -> str:
    """Return openings as the end of a sentence.

    Args:
        found: Of `openings`.
    """
    first, *others = [(name, state_of(each) or f"{each:.0%} open") for name, each in found.items()]
    rest = [f"that of {name} is {state}" for name, state in others]
    return ", ".join([f"the gate of {first[0]} is {first[1]}", *rest])


def state_of(opening: float) -> str:
    """Return "open" or "closed"; empty in between."""
    if opening <= SHUT:
        return "closed"
    return "open" if opening >= OPEN else ""
