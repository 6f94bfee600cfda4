"""Random loss weighting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from mtl_dm.balancing._base import Balancing, Seen
from mtl_dm.balancing._draws import next_step, normals
from mtl_dm.balancing._losses import shares


@keras.saving.register_keras_serializable("mtl_dm")
class RLW(Balancing):
    """Weights that are drawn anew in every step: w = T softmax(x), x ~ N(0, I).

    Source: Lin et al. 2022, section 3, with the normal distribution. The factor T keeps
    the expected weight at 1, that of equal weighting (the paper has weights that sum to 1). The
    softmax and T run over the terms that are present. x_i is a function of the seed, the term's
    name and the step, so that the draws neither depend on the other terms nor on a resume.

    Args:
        seed: Of the draws, 0 <= seed < 2^32.
        **kwargs: As for `Balancing`.

    Raises:
        ValueError: If the seed is out of its range.
    """

    def __init__(self, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(seed, int) or not 0 <= seed < 2**32:
            raise ValueError(f"seed of RLW must be an integer in [0, 2^32), got {seed!r}.")
        self.seed = seed

    def prepare(self, names: Sequence[str]) -> None:
        """Create the counter of steps."""
        super().prepare(names)
        self.step = self.memory("step", 0.0, shape=())

    def weigh(self, seen: Seen) -> Any:
        """Return the weights of this step, 0 for an absent term."""
        drawn = normals(self.seed, seen.names, self.step.value)
        return ops.sum(seen.present) * shares(drawn, seen.present)

    def update(self, seen: Seen) -> None:
        """Count the step."""
        del seen
        self.step.assign(next_step(self.step.value))

    def get_config(self) -> dict[str, Any]:
        """Return the seed too."""
        return {**super().get_config(), "seed": self.seed}
