"""Dynamic weight average: terms whose epoch means fall slowly weigh more."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from mtl_dm.balancing._base import Balancing, Seen
from mtl_dm.balancing._losses import running_mean, shares


@keras.saving.register_keras_serializable("mtl_dm")
class DWA(Balancing):
    """Weights by how much each term fell from one epoch to the next.

    Source: Liu, Johns, Davison 2019 (MTAN), eq. 7. With the means L_i of the last two epochs,

        r_i = L_i(e-1) / L_i(e-2),    w_i = T exp(r_i / tau) / sum_j exp(r_j / tau),

    and r_i = 1 before there are two. Means run over the batches in which the term is present; T and
    the sum over the terms that are present in the batch at hand. A term that is absent for a whole
    epoch keeps its two means.

    Args:
        temperature: tau > 0: the larger, the more equal the weights; the paper's 2 by default.
        **kwargs: As for `Balancing`.

    Raises:
        ValueError: If the temperature is out of its range.
    """

    counts_epochs = True

    def __init__(self, temperature: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 < temperature < math.inf:
            raise ValueError(f"temperature of DWA must be finite and > 0, got {temperature}.")
        self.temperature = temperature

    def prepare(self, names: Sequence[str]) -> None:
        """Create the mean of the running epoch and those of the last two, 0 until there is one."""
        super().prepare(names)
        self.mean = self.memory("mean", 0.0)
        self.count = self.memory("count", 0.0)
        self.last = self.memory("last", 0.0)
        self.before = self.memory("before", 0.0)

    def weigh(self, seen: Seen) -> Any:
        """Return the weights of this epoch, 0 for an absent term."""
        ratios = descent(self.last.value, self.before.value)
        return ops.sum(seen.present) * shares(ratios / self.temperature, seen.present)

    def update(self, seen: Seen) -> None:
        """Take the batch into the means."""
        mean, count = running_mean(self.mean.value, self.count.value, seen.losses, seen.present)
        self.mean.assign(mean)
        self.count.assign(count)

    def begin_epoch(self) -> None:
        """Close the epoch of the terms that were present in it."""
        was = self.count.value > 0
        self.before.assign(ops.where(was, self.last.value, self.before.value))
        self.last.assign(ops.where(was, self.mean.value, self.last.value))
        self.mean.assign(ops.zeros_like(self.mean.value))
        self.count.assign(ops.zeros_like(self.count.value))

    def get_config(self) -> dict[str, Any]:
        """Return the temperature too."""
        return {**super().get_config(), "temperature": self.temperature}


def descent(last: Any, before: Any) -> Any:
    """Return r = L(e-1) / L(e-2) (Liu et al. 2019, eq. 7), 1 where one of them is not above 0.

    Args:
        last: [T], means of the last epoch; 0 where there is none.
        before: [T], of the one before it.
    """
    known = ops.logical_and(last > 0, before > 0)
    return ops.where(known, last / ops.where(known, before, 1.0), 1.0)
