"""Dual balancing: of the losses by their logarithm, of the gradients by their length."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from mtl_dm.balancing._gradients import GradientBalancing
from mtl_dm.balancing._losses import with_logarithm
from mtl_dm.balancing._seen import Seen

SMALL = 1e-8


@keras.saving.register_keras_serializable("mtl_dm")
class DBMTL(GradientBalancing):
    """Smoothed gradients of log losses, all as long as the longest.

    Source: Lin et al. 2023 (DB-MTL), algorithm 1. With g_i the gradient of log(L_i + 1e-8) over the
    shared weights, t the number of steps in which term i was present and b_i a running mean,

        b_i <- g_i + (beta / t^sigma) (b_i - g_i),
        direction = sum_i a b_i / (|b_i| + 1e-8),        a = max_k |b_k|;

    heads follow the gradients of the log losses. The running means are saved weights of the method:
    as many as terms times shared weights. A term that is absent keeps its mean and takes no part;
    the paper knows no such batches and counts steps once for all.
    Deviations: the authors' means start at 0, so that a first step is 1 - beta of this one, which
    is g_i itself; and a term whose loss is not above 0, which has no logarithm, takes no part: that
    of a negative one would climb. Only the scope "shared" is the paper's.

    Args:
        beta: How much of the running mean stays at first, in [0, 1); the paper chooses among
            0.1 to 0.9, 0 keeps no means.
        sigma: How fast that fades, >= 0; the authors' 0.5.
        **kwargs: As for `GradientBalancing`.

    Raises:
        ValueError: If a number is out of its range.
    """

    scopes = ("shared",)
    smooths = True

    def __init__(self, beta: float = 0.9, sigma: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= beta < 1:
            raise ValueError(f"beta of DB-MTL must be in [0, 1), got {beta}.")
        if not 0 <= sigma < math.inf:
            raise ValueError(f"sigma of DB-MTL must be finite and >= 0, got {sigma}.")
        self.beta = beta
        self.sigma = sigma
        self._means: dict[int, Any] = {}

    def prepare(self, names: Sequence[str]) -> None:
        """Create the counts of steps."""
        super().prepare(names)
        self.steps = self.memory("steps", 0.0)

    def prepare_gradients(self, shared: Sequence[Any]) -> None:
        """Create the running means."""
        for place, variable in enumerate(shared):
            shape = (len(self.names), *variable.shape)
            self._means[id(variable)] = self.memory(f"mean_{place}", 0.0, shape)

    def smooth(self, variables: Sequence[Any], gradients: Sequence[Any], seen: Seen) -> list[Any]:
        """Return the running means after a step, [T, ...] a weight."""
        present = with_logarithm(seen.losses, seen.present)
        share = fading(self.steps.value + present, self.beta, self.sigma)
        return [
            smoothed(self._means[id(variable)].value, gradient, seen.losses, present, share)
            for variable, gradient in zip(variables, gradients, strict=True)
        ]

    def keep(self, variables: Sequence[Any], means: Sequence[Any]) -> None:
        """Remember running means."""
        for variable, mean in zip(variables, means, strict=True):
            self._means[id(variable)].assign(mean)

    def weigh(self, seen: Seen) -> Any:
        """Return a / (|b_i| + 1e-8), 0 for absent terms."""
        return equal_lengths(seen.gram, with_logarithm(seen.losses, seen.present))

    def for_heads(self, weights: Any, seen: Seen) -> Any:
        """Return the factor that makes gradients those of log losses."""
        del weights
        present = with_logarithm(seen.losses, seen.present)
        return present / (ops.where(present > 0, seen.losses, 1.0) + SMALL)

    def update(self, seen: Seen) -> None:
        """Count the step."""
        self.steps.assign(self.steps.value + with_logarithm(seen.losses, seen.present))

    def get_config(self) -> dict[str, Any]:
        """Return the options too."""
        return {**super().get_config(), "beta": self.beta, "sigma": self.sigma}


def fading(steps: Any, beta: float, sigma: float) -> Any:
    """Return how much of a running mean stays, [T]; nothing in a term's first step.

    Args:
        steps: [T], in which the term was present, this one too.
        beta: As for `DBMTL`.
        sigma: As for `DBMTL`.
    """
    return ops.where(steps > 1.0, beta / ops.power(ops.maximum(steps, 1.0), sigma), 0.0)


def smoothed(mean: Any, gradient: Any, losses: Any, present: Any, share: Any) -> Any:
    """Return running means of the gradients of log losses after a step.

    Args:
        mean: [T, ...], before it.
        gradient: [T, ...], of the losses.
        losses: [T].
        present: [T], 1 where the term is; the mean of an absent one stays.
        share: [T], how much of the mean stays.
    """
    axes = (len(mean.shape) - 1) * (1,)
    losses, present, share = (ops.reshape(each, (-1, *axes)) for each in (losses, present, share))
    of_log = gradient / (losses + SMALL)
    return ops.where(present > 0, of_log + share * (mean - of_log), mean)


def equal_lengths(gram: Any, present: Any) -> Any:
    """Return the weights [T] that make all present vectors as long as the longest; 0 of length 0.

    Args:
        gram: [T, T], their inner products.
        present: [T].
    """
    lengths = ops.sqrt(ops.maximum(ops.diagonal(gram), 0.0)) * present
    return ops.where(lengths > 0, ops.max(lengths) / (lengths + SMALL), 0.0)
