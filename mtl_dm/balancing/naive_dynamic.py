"""Naive dynamic weights: a unit on the shared features that the total loss trains."""

from __future__ import annotations

from typing import Any

import keras

from mtl_dm.balancing import weight_unit
from mtl_dm.balancing._seen import Seen
from mtl_dm.balancing._shared import SharedBalancing


@keras.saving.register_keras_serializable("mtl_dm")
class NaiveDynamic(SharedBalancing):
    """L = sum_i w_i(z) L_i, w the softmax layer of `Dynamic`, trained with the network on L itself.

    Source: Yin, Liu 2018 as Ming et al. 2019 (sections 1 and 5) describe and compare it. Without a
    loss of its own the unit lowers L by the weight of the term with the largest loss, and the
    gradient of L runs through w into the network too. The optimizer of the network trains the unit;
    its weights, which start at zero, sum to 1 over the terms that are present.
    Deviation: features of unit length, as for `Dynamic`.
    """

    def prepare_shared(self, width: int) -> None:
        """Create psi and b."""
        count = len(self.names)
        self.kernel = self.add_weight(name="kernel", shape=(width, count), initializer="zeros")
        self.bias = self.add_weight(name="bias", shape=(count,), initializer="zeros")

    def weigh(self, seen: Seen) -> Any:
        """Return the mean weights of the batch, 0 for an absent term."""
        logits = weight_unit.unit_logits(self.shared(seen), self.kernel.value, self.bias.value)
        return weight_unit.batch_mean(weight_unit.weights_of_images(logits, seen.present))
