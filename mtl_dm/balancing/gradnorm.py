"""Gradient normalisation: terms that lag behind get larger gradients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from mtl_dm.balancing._gradients import GradientBalancing
from mtl_dm.balancing._seen import Seen

LEAST = 1e-3
SMALL = 1e-12


@keras.saving.register_keras_serializable("mtl_dm")
class GradNorm(GradientBalancing):
    """Weights that move towards gradient norms in proportion to how slowly the terms learn.

    Source: Chen et al. 2018, algorithm 1. With G_i = w_i |grad L_i| over the last shared kernel and
    r_i = (L_i / L_i(0)) / mean_j (L_j / L_j(0)), the weights take a gradient step on

        L_grad = sum_i |G_i - mean(G) r_i^alpha|,

    mean(G) r_i^alpha held constant, after which they are scaled to sum to the number of terms.
    L_i(0) is the loss of the first batch in which the term is present and its loss above 0, and
    means run over the terms that are present: an absent one takes no part and keeps its share. A
    term alone has nothing to be compared with: where no batch has labels of two, weights move only
    if `unbiased`.
    Losses are as they enter the objective, times their factors: a term that a gate halves counts as
    one that has learnt.
    Deviations: the step on L_grad is plain gradient descent (the paper leaves the optimiser open);
    a weight stays above `LEAST`, since a negative one would maximise its term.

    Args:
        alpha: How strongly slow terms are pulled up, >= 0; the paper's 1.5 by default.
        learning_rate: Of the weights.
        **kwargs: As for `GradientBalancing`; its scope is "last_layer" by default.

    Raises:
        ValueError: If a number is out of its range.
    """

    scopes = ("last_layer", "shared", "features")
    learns_whole = True

    def __init__(
        self,
        alpha: float = 1.5,
        learning_rate: float = 0.025,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not 0 <= alpha < math.inf:
            raise ValueError(f"alpha of GradNorm must be finite and >= 0, got {alpha}.")
        if not 0 < learning_rate < math.inf:
            raise ValueError(
                f"learning_rate of GradNorm must be finite and > 0, got {learning_rate}."
            )
        self.alpha = alpha
        self.learning_rate = learning_rate

    def prepare(self, names: Sequence[str]) -> None:
        """Create the weights and the first losses, 0 until there is one."""
        super().prepare(names)
        self.task_weights = self.memory("task_weights", 1.0)
        self.first_losses = self.memory("first_losses", 0.0)

    def weigh(self, seen: Seen) -> Any:
        """Return the weights as the last step left them, 0 for an absent term."""
        return self.task_weights.value * seen.present

    def update(self, seen: Seen) -> None:
        """Remember first losses and take the step on L_grad."""
        first = self.first_losses.value
        present = seen.present > 0
        is_first = ops.logical_and(first <= 0, ops.logical_and(present, seen.losses > 0))
        first = ops.where(is_first, seen.losses, first)
        self.first_losses.assign(first)
        norms = ops.sqrt(ops.maximum(ops.diagonal(seen.gram), 0.0))
        # A term without a gradient, such as a coupling behind a closed gate, has no norm to raise.
        started = ops.logical_and(ops.logical_and(present, norms > 0), first > 0)
        self.task_weights.assign(
            stepped(
                self.task_weights.value,
                norms,
                seen.losses / ops.where(first > 0, first, 1.0),
                ops.cast(started, "float32"),
                self.alpha,
                self.learning_rate,
            )
        )

    def get_config(self) -> dict[str, Any]:
        """Return the options too."""
        return {**super().get_config(), "alpha": self.alpha, "learning_rate": self.learning_rate}


def stepped(
    weights: Any, norms: Any, ratios: Any, present: Any, alpha: float, learning_rate: float
) -> Any:
    """Return the weights after one step on L_grad (Chen et al. 2018, eq. 2), summing to T.

    Args:
        weights: [T] > 0.
        norms: [T], |grad L_i| of the unweighted terms.
        ratios: [T], L_i / L_i(0).
        present: [T], 1 where the term takes part.
        alpha: Exponent.
        learning_rate: Of the step.
    """
    count = ops.maximum(ops.sum(present), 1.0)
    norms, ratios = norms * present, ops.where(present > 0, ratios, 0.0)
    mean_norm = ops.sum(weights * norms) / count
    relative = ratios / ops.maximum(ops.sum(ratios) / count, SMALL)
    target = mean_norm * ops.power(ops.maximum(relative, SMALL), alpha)
    slope = ops.sign(weights * norms - target) * norms * present
    moved = ops.maximum(weights - learning_rate * slope, LEAST)
    # The present ones share what they had: together the weights sum to T, as at the start.
    had, have = ops.sum(weights * present), ops.sum(moved * present)
    return ops.where(present > 0, moved * had / ops.maximum(have, SMALL), weights)
