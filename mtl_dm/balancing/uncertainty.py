"""Homoscedastic uncertainty weighting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from mtl_dm.balancing._base import Balancing
from mtl_dm.balancing._seen import Seen


@keras.saving.register_keras_serializable("mtl_dm")
class Uncertainty(Balancing):
    """L = sum_i exp(-s_i) L_i + s_i / 2 with one learned s_i = log sigma_i^2 per term.

    Source: Kendall, Gal, Cipolla 2018, section 3; the form for classification losses with the
    approximation of their eq. 10, s_i learned instead of sigma_i for numerical stability as the
    authors advise. s_i starts at 0, where the gradients equal those of `EqualWeighting`.
    Deviation: a term that is absent from a batch (switched off, or without a label to act on) does
    not pay s_i / 2, which would lower s_i without end while nothing holds against it.
    """

    def prepare(self, names: Sequence[str]) -> None:
        """Create one log variance per term."""
        super().prepare(names)
        self.log_variances = {
            name: self.add_weight(
                name=f"{name}_log_variance", shape=(), initializer="zeros", dtype="float32"
            )
            for name in names
        }

    def _stacked(self) -> Any:
        return ops.stack([each.value for each in self.log_variances.values()])

    def weigh(self, seen: Seen) -> Any:
        """Return exp(-s_i)."""
        del seen
        return ops.exp(-self._stacked())

    def own_loss(self, seen: Seen) -> Any:
        """Return the price of ignoring terms, sum_i s_i / 2 over those that are present."""
        return ops.sum(seen.present * self._stacked()) / 2.0
