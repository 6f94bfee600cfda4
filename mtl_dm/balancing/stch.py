"""Smooth Tchebycheff scalarization: a smooth maximum of the terms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from mtl_dm.balancing._base import Balancing
from mtl_dm.balancing._given import numbers_by_name, require_terms
from mtl_dm.balancing._losses import positive, running_mean, shares, with_logarithm
from mtl_dm.balancing._seen import Seen


@keras.saving.register_keras_serializable("mtl_dm")
class STCH(Balancing):
    """L = T mu log sum_i exp(p_i log(L_i / n_i) / mu), a smooth maximum, as weights.

    Source: Lin et al. 2024, in the form of their multi-task code: losses enter by their logarithms
    in units of a nadir point n, the ideal point is 0, and a warm-up precedes it in which the
    objective is sum_i log L_i; n_i is the mean loss of the last epoch of the warm-up. The weights
    are the derivatives, held constant, whose weighted sum has the gradient of L:

        w_i = T p_i softmax(p log(L / n) / mu)_i / L_i,    w_i = 1 / L_i in the warm-up.

    T and the softmax run over the terms that are present and warmed up. An epoch counts for a term
    if it was present in it: one that comes late has its own warm-up. The logged objective is the
    weighted sum, not L.
    Deviations: the preferences p_i, which the authors' code lacks, are used as given, not scaled to
    sum to 1 as in the paper; 1 for all is that code, whose warm-up has five epochs by default. Each
    loss is taken as L + 1e-8, and one that is not above 0 takes no part.

    Args:
        mu: Smoothness > 0: the smaller, the closer to the maximum; the authors' 1 by default.
        warmup_epochs: Whole number >= 1.
        balances: As for `Balancing`.
        unbiased: As for `Balancing`.
        name: As for `keras.layers.Layer`.
        trainable: As for `keras.layers.Layer`.
        dtype: As for `keras.layers.Layer`.
        **preferences: By name of the term, finite and > 0, 1 where none is given.

    Raises:
        ValueError: If a number is out of its range.
    """

    counts_epochs = True

    def __init__(
        self,
        mu: float = 1.0,
        warmup_epochs: int = 1,
        balances: Literal["all", "tasks"] = "all",
        unbiased: bool = False,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = "float32",
        **preferences: float,
    ) -> None:
        super().__init__(balances, unbiased, name=name, trainable=trainable, dtype=dtype)
        if not 0 < mu < math.inf:
            raise ValueError(f"mu of STCH must be finite and > 0, got {mu}.")
        if not isinstance(warmup_epochs, int) or warmup_epochs < 1:
            raise ValueError(
                f"warmup_epochs of STCH must be a whole number >= 1, got {warmup_epochs!r}."
            )
        self.mu = mu
        self.warmup_epochs = warmup_epochs
        self._given = numbers_by_name("preference", preferences, positive=True)

    def prepare(self, names: Sequence[str]) -> None:
        """Create the nadir point, what it is the mean of, and each term's count of epochs.

        Raises:
            ValueError: If a preference is that of no term; the message lists the terms.
        """
        require_terms("preference", self._given, names)
        super().prepare(names)
        self.nadir = self.memory("nadir", 1.0)
        self.mean = self.memory("mean", 0.0)
        self.count = self.memory("count", 0.0)
        self.epochs = self.memory("epochs", 0.0)

    def weigh(self, seen: Seen) -> Any:
        """Return the derivatives of the objective, 0 for a term that takes no part."""
        preferences = ops.convert_to_tensor(
            [self._given.get(name, 1.0) for name in seen.names], "float32"
        )
        present = with_logarithm(seen.losses, seen.present)
        warm = present * ops.cast(self.epochs.value >= self.warmup_epochs, "float32")
        smooth = tchebycheff_weights(seen.losses, self.nadir.value, warm, preferences, self.mu)
        return smooth + (present - warm) / positive(seen.losses)

    def update(self, seen: Seen) -> None:
        """Take the batch into the means."""
        mean, count = running_mean(self.mean.value, self.count.value, seen.losses, seen.present)
        self.mean.assign(mean)
        self.count.assign(count)

    def begin_epoch(self) -> None:
        """Close the epoch of the terms that were present in it."""
        was, epochs = self.count.value > 0, self.epochs.value
        warming = ops.logical_and(was, epochs < self.warmup_epochs)
        self.nadir.assign(ops.where(warming, positive(self.mean.value), self.nadir.value))
        self.epochs.assign(ops.where(warming, epochs + 1.0, epochs))
        self.mean.assign(ops.zeros_like(self.mean.value))
        self.count.assign(ops.zeros_like(self.count.value))

    def get_config(self) -> dict[str, Any]:
        """Return the options and the preferences too."""
        return {
            **super().get_config(),
            "mu": self.mu,
            "warmup_epochs": self.warmup_epochs,
            "preferences": dict(self._given),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> STCH:
        """Return the method that `get_config` described."""
        config = dict(config)
        return cls(**config.pop("preferences"), **config)


def tchebycheff_weights(losses: Any, nadir: Any, present: Any, preferences: Any, mu: float) -> Any:
    """Return the derivatives of T mu log sum_i exp(p_i log(L_i / n_i) / mu) by L_i.

    Args:
        losses: [T], above 0 where the term takes part.
        nadir: [T], n > 0.
        present: [T], 1 where the term takes part.
        preferences: [T], p > 0.
        mu: Smoothness.
    """
    losses = positive(losses)
    share = shares(preferences * ops.log(losses / nadir) / mu, present)
    return ops.sum(present) * preferences * share / losses
