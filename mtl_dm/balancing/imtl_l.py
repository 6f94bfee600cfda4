"""Impartial multi-task learning, by losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from mtl_dm.balancing._base import Balancing, Seen
from mtl_dm.balancing._losses import with_logarithm


@keras.saving.register_keras_serializable("mtl_dm")
class IMTLL(Balancing):
    """L = sum_i exp(s_i) L_i - s_i with one learned scale s_i a term.

    Source: Liu et al. 2021, section 3.2 (IMTL-L), with base e. At the optimum over s_i every scaled
    loss exp(s_i) L_i is 1. s_i starts at 0, where the gradients equal those of `EqualWeighting`.
    Deviation: a term that is absent from a batch, or has a loss of 0 there, does not get -s_i,
    which would raise s_i without end while nothing holds against it.
    """

    def prepare(self, names: Sequence[str]) -> None:
        """Create one scale per term."""
        super().prepare(names)
        self.scales = {
            name: self.add_weight(
                name=f"{name}_scale", shape=(), initializer="zeros", dtype="float32"
            )
            for name in names
        }

    def _stacked(self) -> Any:
        return ops.stack([each.value for each in self.scales.values()])

    def weigh(self, seen: Seen) -> Any:
        """Return exp(s_i)."""
        del seen
        return ops.exp(self._stacked())

    def own_loss(self, seen: Seen) -> Any:
        """Return -sum_i s_i over the terms that are present with a loss."""
        return -ops.sum(with_logarithm(seen.losses, seen.present) * self._stacked())
