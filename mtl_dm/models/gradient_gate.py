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
    compared,
    discounted,
    head_gradients,
    opening,
    remaining,
    with_step,
)

ASKED, HELD, BELIEVED = 0.0, 1.0, 2.0
"""What a gate does: open once labels confirm, stay closed, stay open until labels refute."""
HALF = 0.5
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

    It starts closed, until labels confirm what is asked for, unless a judgement says otherwise.
    What it remembers are weights, so that checkpoints hold them.

    Args:
        size: Labels of the head.
        **kwargs: As for `keras.layers.Layer`.
    """

    def __init__(self, size: int, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")  # Also under mixed precision: it counts.
        super().__init__(**kwargs)
        self.size = size
        # Not in `build`: a gate may be held before the first batch.
        self.opening = self._memory("opening", ())
        self._stance = self._memory("stance", ())
        self._evidence = self._memory("evidence", (len(Evidence._fields),))

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make what is remembered of the last step.

        Args:
            input_shape: Of the head's features, [..., D].
        """
        self._last = self._memory("last", (2, self.size, input_shape[-1]))
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

    def hold(self) -> None:
        """Forget everything and stay closed, whatever is learned meanwhile, until the release."""
        for each in self.weights:
            each.assign(ops.zeros(each.shape, each.dtype))
        self._stance.assign(HELD)

    def release(self, share: float, believed: bool = False) -> None:
        """Let the gate open by what it has learned; a head that nobody labels, from the next step.

        Args:
            share: How much of what it has looked at so far is still asked for, in [0, 1].
            believed: Open it until labels refute what is asked for, not only once they confirm it.
        """
        so_far = Evidence(*ops.unstack(ops.convert_to_tensor(self._evidence)))
        now = discounted(so_far, share)
        if self.built:  # What was asked for last is not what will be.
            last = ops.convert_to_tensor(self._last)
            self._last.assign(ops.stack([last[0], ops.zeros_like(last[1])]))
        self._evidence.assign(ops.stack(now))
        self._stance.assign(BELIEVED if believed else ASKED)
        self.opening.assign(remaining(now) if believed else opening(now))

    @property
    def refuted(self) -> bool:
        """Whether the steps so far refute what has been asked for."""
        so_far = Evidence(*ops.unstack(ops.convert_to_tensor(self._evidence)))
        return float(ops.convert_to_numpy(remaining(so_far))) < HALF

    @property
    def held(self) -> bool:
        """Whether the gate is held closed."""
        return float(ops.convert_to_numpy(self._stance)) == HELD

    def beside(self, seen: Any, own: Any, coupled: Any) -> tuple[Any, Any]:
        """Return the gradients of this step and their inner products with those of the last.

        Args:
            seen: [B, D], centred features.
            own: [B, L], gradient of the task's own loss.
            coupled: [B, L], that of the gated couplings.

        Returns:
            [2, L, D], the task's own and the couplings'; [4, 4], for `compared`.
        """
        now = head_gradients(seen, ops.concatenate([own, coupled], axis=1))
        both = ops.concatenate([ops.reshape(self._last, (2, -1)), ops.reshape(now, (2, -1))])
        return ops.reshape(now, self._last.shape), ops.matmul(both, ops.transpose(both))

    def state(self) -> Any:
        """Return [10]: the evidence, the opening and the stance."""
        scalars = [ops.reshape(each, (1,)) for each in (self.opening, self._stance)]
        return ops.concatenate([self._evidence, *scalars])

    def remember(self, evidence: Any, opening: Any, now: Any, where: Any) -> None:
        """Take over what a step says.

        Args:
            evidence: [8].
            opening: Scalar.
            now: [2, L, D], the gradients of this step.
            where: [2], which of them to keep.
        """
        self._evidence.assign(evidence)
        self.opening.assign(opening)
        kept = ops.convert_to_tensor(self._last)
        self._last.assign(ops.where(where[:, None, None], now, kept))

    def load_own_variables(self, store: Any) -> None:
        """Load what it remembers; of a model saved before there were gates there is nothing."""
        if store.keys():
            super().load_own_variables(store)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make the same gate, closed."""
        return {**super().get_config(), "size": self.size}


def learn(
    gates: Mapping[str, GradientGate], at: Mapping[str, AtLogits], counted: Any, taken: Any
) -> None:
    """Judge the couplings of the step before and remember those of this one.

    A step without a label of the task, or without a coupling, leaves what it says nothing of as it
    is. A head whose task has had no label at all is open: its couplings are all that teaches it.
    Parts of a network are judged by their mean features. Heads are judged at once: what is done for
    each by itself is what a step would feel.

    Args:
        gates: By task; at least one.
        at: What the step says, by task.
        counted: [B], 1 for real images, 0 for virtual ones; None: all are real.
        taken: Whether the step is taken. A head whose gradients are not finite learns nothing.
    """
    seen = _centred({name: at[name].features for name in gates}, counted)
    steps = [
        gate.beside(seen[name], _in_one(at[name].own), at[name].coupled)
        for name, gate in gates.items()
    ]
    products = ops.stack([each for _, each in steps])
    step = compared(products)
    taken = ops.logical_and(taken, ops.all(ops.isfinite(products), axis=(1, 2)))
    before = ops.stack([gate.state() for gate in gates.values()], axis=1)
    known = before[:-2]
    found = with_step(Evidence(*ops.unstack(known)), step.u, step.v, step.own)
    found = ops.where(step.judged, ops.stack(found), known)
    evidence, stance = Evidence(*ops.unstack(found)), before[-1]
    open_to = ops.where(stance == BELIEVED, remaining(evidence), opening(evidence))
    open_to = ops.where(step.unasked, 1.0, open_to)
    open_to = ops.where(stance == HELD, 0.0, open_to)
    after = ops.where(taken, ops.concatenate([found, open_to[None]]), before[:-1])
    # What was asked for is judged once, also where nothing is asked for after it.
    asked = ops.logical_or(step.coupled > 0, step.judged)
    some = ops.stack([step.own > 0, asked], axis=1)
    kept = ops.logical_and(taken[:, None], some)
    for place, (gate, (now, _)) in enumerate(zip(gates.values(), steps, strict=True)):
        gate.remember(after[:-1, place], after[-1, place], now, kept[place])


def _centred(features: Mapping[str, Any], counted: Any) -> dict[str, Any]:
    """Return centred features by task; what heads share is centred once."""
    found: dict[int, Any] = {}
    for each in features.values():
        if id(each) not in found:
            whole = ops.cast(each, "float32")
            whole = ops.mean(whole, axis=1) if len(whole.shape) == 3 else whole
            found[id(each)] = centred(whole, counted)
    return {name: found[id(each)] for name, each in features.items()}


def _in_one(own: Any) -> Any:
    """Return gradients [B, L] of a network that may be in parts, [B, P, L]."""
    return ops.sum(own, axis=1) if len(own.shape) == 3 else own


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
