"""Batch normalisation whose statistics are those of the global batch, on every backend."""

from __future__ import annotations

from typing import Any

import keras


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
