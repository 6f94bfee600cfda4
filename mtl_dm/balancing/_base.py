"""The contract of a balancing method that sees losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras


class LossBalancing(keras.layers.Layer):
    """Turns the loss terms of a step into one objective.

    It sees numbers, never a model. A subclass overrides `combine`, and `prepare` where it has
    weights of its own (trainable ones are learned with the network's). Register it in
    `mtl_dm.balancing.BALANCING`.
    """

    def prepare(self, names: Sequence[str]) -> None:
        """Create what the method keeps per term; called once, before training.

        Args:
            names: Names of the loss terms, in the order of the objective.
        """

    def combine(self, losses: Mapping[str, Any]) -> Any:
        """Return the scalar to minimise.

        Args:
            losses: Scalar float32 per term, already times its fixed weight.
        """
        raise NotImplementedError
