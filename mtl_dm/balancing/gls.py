"""Geometric loss strategy."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from mtl_dm.balancing._base import Balancing, Seen
from mtl_dm.balancing._losses import positive, with_logarithm


@keras.saving.register_keras_serializable("mtl_dm")
class GLS(Balancing):
    """The geometric mean of the terms, L = (prod_i L_i)^(1/T).

    Source: Chennupati et al. 2019 (MultiNet++). Since dL / dL_i = L / (T L_i), the weighted sum
    with the constants w_i = L / (T L_i) has the gradient of L, and its value is L too. T and the
    product run over the terms that are present.
    Deviations: each loss is taken as L_i + 1e-8, and one that is not above 0 takes no part: the
    product would be 0, and with it the weights of all others.
    """

    def weigh(self, seen: Seen) -> Any:
        """Return L / (T L_i), 0 for a term that takes no part."""
        return geometric_weights(seen.losses, with_logarithm(seen.losses, seen.present))


def geometric_weights(losses: Any, present: Any) -> Any:
    """Return the derivatives of (prod_i L_i)^(1/T) with respect to L_i.

    Args:
        losses: [T], above 0 where the term takes part.
        present: [T], 1 where the term takes part.
    """
    count = ops.maximum(ops.sum(present), 1.0)
    losses = positive(losses)
    # Of logarithms: a product of many losses leaves float32.
    logs = ops.log(losses)
    mean = ops.sum(present * logs) / count
    return present * ops.exp(mean - logs) / count
