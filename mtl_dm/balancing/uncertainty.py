"""Homoscedastic uncertainty weighting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from mtl_dm.balancing._base import LossBalancing
from mtl_dm.losses.reduction import weighted_mean


@keras.saving.register_keras_serializable("mtl_dm")
class Uncertainty(LossBalancing):
    """L = sum_i exp(-s_i) L_i + s_i / 2 with one learned s_i = log sigma_i^2 per term.

    Source: Kendall, Gal, Cipolla 2018, section 3; the form for classification losses with the
    approximation of their eq. 10, s_i learned instead of sigma_i for numerical stability as the
    authors advise. s_i starts at 0, where the gradients equal those of `Total`.
    Deviation: a term whose loss is exactly 0 in a batch (switched off, or without a label to act
    on) does not pay s_i / 2, which would lower s_i without end while nothing holds against it.
    """

    def prepare(self, names: Sequence[str]) -> None:
        """Create one log variance per term."""
        self.log_variances = {
            name: self.add_weight(
                name=f"{name}_log_variance", shape=(), initializer="zeros", dtype="float32"
            )
            for name in names
        }

    def combine(self, losses: Mapping[str, Any]) -> Any:
        """Return the weighted sum of the terms plus the price of ignoring them."""
        return sum(self._weighted(name, loss) for name, loss in losses.items())

    def _weighted(self, name: str, loss: Any) -> Any:
        log_variance = ops.convert_to_tensor(self.log_variances[name])
        # A mean over the replicas where the term is on: their parts must sum to one price.
        price = weighted_mean(log_variance / 2, ops.cast(loss != 0, "float32"))
        return ops.exp(-log_variance) * loss + price
