"""Fast adaptive multitask optimization: every term's logarithm falls at the same rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from mtl_dm.balancing._base import Balancing
from mtl_dm.balancing._losses import positive, shares, with_logarithm
from mtl_dm.balancing._seen import Seen

BETAS = (0.9, 0.999)
STABLE = 1e-8


@keras.saving.register_keras_serializable("mtl_dm")
class FAMO(Balancing):
    """Weights from logits xi that learn how much each term fell in the step that was taken.

    Source: Liu et al. 2023, algorithm 1. With z = softmax(xi), before the step

        w_i = c z_i / L_i,    c = 1 / sum_j (z_j / L_j),

    which sum to 1; and after it, with the losses L'_i of the same batch,

        delta_i = log L_i - log L'_i,    grad_i = z_i (delta_i - sum_j z_j delta_j) + gamma xi_i,

    with which Adam changes xi. The second look is a second forward pass. Sums run over the terms
    that are present; an absent one keeps its logit, its moments and its own count of steps, so that
    the others move as if it were not there. A step with one term alone compares nothing: where no
    batch has labels of two, the logits never move, `unbiased` or not. As in the authors' code each
    loss is taken as L + 1e-8; the lower bounds b_i that it subtracts are 0 here.
    Deviations: a term whose loss is not above 0 takes no part: its inverse would take all the
    weight, and the network stand still. Neither does one whose loss after the step is not finite,
    as may happen in half precision, in that step's change of the logits.

    Args:
        learning_rate: Of the logits, > 0; the paper's 0.025 by default.
        weight_decay: gamma >= 0, of the logits, added to the gradient; the paper's 0.001 by default
            (the authors' scripts also use 1e-5).
        **kwargs: As for `Balancing`.

    Raises:
        ValueError: If a number is out of its range.
    """

    looks_after = True

    def __init__(
        self, learning_rate: float = 0.025, weight_decay: float = 1e-3, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not 0 < learning_rate < math.inf:
            raise ValueError(f"learning_rate of FAMO must be finite and > 0, got {learning_rate}.")
        if not 0 <= weight_decay < math.inf:
            raise ValueError(f"weight_decay of FAMO must be finite and >= 0, got {weight_decay}.")
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay

    def prepare(self, names: Sequence[str]) -> None:
        """Create the logits, Adam's two moments, and each term's count of steps."""
        super().prepare(names)
        self.logits = self.memory("logits", 0.0)
        self.first_moment = self.memory("first_moment", 0.0)
        self.second_moment = self.memory("second_moment", 0.0)
        self.steps = self.memory("steps", 0.0)

    def weigh(self, seen: Seen) -> Any:
        """Return z_i / L_i, scaled to sum to 1; 0 for a term that takes no part."""
        present = with_logarithm(seen.losses, seen.present)
        # The softmax of xi - log L, which neither overflows nor divides by 0.
        return shares(self.logits.value - ops.log(positive(seen.losses)), present)

    def after_step(self, seen: Seen, losses: Any) -> None:
        """Take Adam's step on the logits."""
        present = with_logarithm(seen.losses, seen.present)
        present = present * ops.cast(ops.isfinite(losses), "float32")
        losses = ops.where(present > 0, losses, 0.0)
        logits = self.logits.value
        gradient = logit_gradient(logits, seen.losses, losses, present)
        state = (logits, self.first_moment.value, self.second_moment.value, self.steps.value)
        changed = adam(*state, gradient + self.weight_decay * logits, self.learning_rate)
        variables = (self.logits, self.first_moment, self.second_moment, self.steps)
        for variable, old, new in zip(variables, state, changed, strict=True):
            variable.assign(ops.where(present > 0, new, old))

    def get_config(self) -> dict[str, Any]:
        """Return the options too."""
        return {
            **super().get_config(),
            "learning_rate": self.learning_rate,
            "weight_decay": self.weight_decay,
        }


def logit_gradient(logits: Any, before: Any, after: Any, present: Any) -> Any:
    """Return the gradient of sum_i softmax(xi)_i delta_i with respect to xi, delta held constant.

    Args:
        logits: [T], xi.
        before: [T], losses before the step.
        after: [T], losses of the same batch after it.
        present: [T], 1 where the term takes part.
    """
    share = shares(logits, present)
    fell = present * (ops.log(positive(before)) - ops.log(positive(after)))
    return share * (fell - ops.sum(share * fell))


def adam(
    values: Any, first: Any, second: Any, steps: Any, gradient: Any, learning_rate: float
) -> tuple[Any, Any, Any, Any]:
    """Return values, moments and steps after one step of Adam (Kingma, Ba 2015, algorithm 1).

    Args:
        values: [T].
        first: [T], the mean of gradients.
        second: [T], the mean of their squares.
        steps: [T], taken before.
        gradient: [T].
        learning_rate: Of the step.
    """
    steps = steps + 1.0
    first = BETAS[0] * first + (1.0 - BETAS[0]) * gradient
    second = BETAS[1] * second + (1.0 - BETAS[1]) * ops.square(gradient)
    # 1 - beta^t; in this form float32 keeps the digits of the first steps.
    bias, scale = (-ops.expm1(steps * math.log(beta)) for beta in BETAS)
    moved = learning_rate * (first / bias) / (ops.sqrt(second / scale) + STABLE)
    return values - moved, first, second, steps
