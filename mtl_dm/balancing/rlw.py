"""Random loss weighting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from mtl_dm.balancing._base import Balancing
from mtl_dm.balancing._losses import shares
from mtl_dm.balancing._seen import Seen
from mtl_dm.draws import following, keys_of, normal, require_seed


@keras.saving.register_keras_serializable("mtl_dm")
class RLW(Balancing):
    """Weights that are drawn anew in every step: w = T softmax(x), x ~ N(0, I).

    Source: Lin et al. 2022, section 3, with the normal distribution. The factor T keeps
    the expected weight at 1, that of equal weighting (the paper has weights that sum to 1). The
    softmax and T run over the terms that are present. x_i is a function of the seed, the term's
    name and the step, so that the draws neither depend on the other terms nor on a resume.

    Args:
        seed: Of the draws.
        **kwargs: As for `Balancing`.

    Raises:
        ValueError: If the seed is out of its range.
    """

    def __init__(self, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = require_seed("rlw", seed)

    def prepare(self, names: Sequence[str]) -> None:
        """Create the counter of steps."""
        super().prepare(names)
        self.step = self.memory("step", 0.0, shape=())

    def weigh(self, seen: Seen) -> Any:
        """Return the weights of this step, 0 for an absent term."""
        drawn = normal(keys_of(self.seed, seen.names), self.step.value)
        return ops.sum(seen.present) * shares(drawn, seen.present)

    def update(self, seen: Seen) -> None:
        """Count the step."""
        del seen
        self.step.assign(following(self.step.value))

    def get_config(self) -> dict[str, Any]:
        """Return the seed too."""
        return {**super().get_config(), "seed": self.seed}
