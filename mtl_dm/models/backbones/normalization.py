"""Batch normalisation whose statistics are those of the global batch, on every backend."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("mtl_dm")
class GlobalBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` over the global batch, however it is spread.

    A replica's share of a batch may hold a single task, so its own statistics would be wrong. On
    TensorFlow that takes `synchronized=True`; on JAX a sharded batch is one global array, whose
    mean is global already, and Keras refuses the argument. A checkpoint of one backend therefore
    loads on the other.

    Args:
        **kwargs: As for `keras.layers.BatchNormalization`, without `synchronized`.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs["synchronized"] = keras.backend.backend() == "tensorflow"
        super().__init__(**kwargs)


@keras.saving.register_keras_serializable("mtl_dm")
class PartialBatchNormalization(GlobalBatchNormalization):
    """Normalises several passes, each of which moves the averages in so far as it counts."""

    def call(self, inputs: Any, share: Any, training: bool | None = None) -> Any:
        """Return the normalised inputs.

        Args:
            inputs: [..., C].
            share: Scalar in [0, 1]; 0: the averages stay as they are.
            training: Whether statistics are the batch's.
        """
        averages = (self.moving_mean, self.moving_variance)
        before = [ops.copy(ops.convert_to_tensor(each)) for each in averages]
        outputs = super().call(inputs, training=training)
        if training:
            share = ops.cast(ops.stop_gradient(share), "float32")
            for variable, old in zip(averages, before, strict=True):
                variable.assign(old + share * (ops.convert_to_tensor(variable) - old))
        return outputs
