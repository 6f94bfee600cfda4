"""Loss-balanced task weighting: terms that fell less within the epoch weigh more."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from mtl_dm.balancing._base import Balancing, Seen

SMALL = 1e-12


@keras.saving.register_keras_serializable("mtl_dm")
class LBTW(Balancing):
    """Weights by how much of its first loss of the epoch each term still has.

    Source: Liu, Liang, Gitter 2019, algorithm 1. With L_i(0) the loss of the first batch of the
    epoch in which the term is present,

        w_i = T (L_i / L_i(0))^alpha / sum_j (L_j / L_j(0))^alpha.

    The scale, which makes them sum to the number of terms T, is that of the authors' code. T and
    the sum run over the terms that are present.
    Deviation: a first loss must be above 0; before there is one, the ratio is 1. A loss that is
    negative counts as 0.

    Args:
        alpha: How strongly slow terms are pulled up, >= 0; 0.5 by default.
        **kwargs: As for `Balancing`.

    Raises:
        ValueError: If alpha is out of its range.
    """

    counts_epochs = True

    def __init__(self, alpha: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= alpha < math.inf:
            raise ValueError(f"alpha of LBTW must be finite and >= 0, got {alpha}.")
        self.alpha = alpha

    def prepare(self, names: Sequence[str]) -> None:
        """Create the first losses of the epoch, 0 until there is one."""
        super().prepare(names)
        self.first_losses = self.memory("first_losses", 0.0)

    def _first(self, seen: Seen) -> Any:
        """Return the first losses, this batch's where it is the first."""
        first = self.first_losses.value
        starts = ops.logical_and(first <= 0, ops.logical_and(seen.present > 0, seen.losses > 0))
        return ops.where(starts, seen.losses, first)

    def weigh(self, seen: Seen) -> Any:
        """Return the weights of this batch, 0 for an absent term."""
        return remaining(seen.losses, self._first(seen), seen.present, self.alpha)

    def update(self, seen: Seen) -> None:
        """Remember first losses."""
        self.first_losses.assign(self._first(seen))

    def begin_epoch(self) -> None:
        """Forget the first losses."""
        self.first_losses.assign(ops.zeros_like(self.first_losses.value))

    def get_config(self) -> dict[str, Any]:
        """Return alpha too."""
        return {**super().get_config(), "alpha": self.alpha}


def remaining(losses: Any, first: Any, present: Any, alpha: float) -> Any:
    """Return the weights w_i in proportion to (L_i / L_i(0))^alpha, summing to T.

    Args:
        losses: [T].
        first: [T], L_i(0); 0 where there is none.
        present: [T], 1 where the term takes part.
        alpha: Exponent.
    """
    known = first > 0
    ratios = ops.where(known, losses / ops.where(known, first, 1.0), 1.0)
    scores = ops.power(ops.maximum(ratios, SMALL), alpha) * present
    return ops.sum(present) * scores / ops.maximum(ops.sum(scores), SMALL)
