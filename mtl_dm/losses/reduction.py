"""From values per image to one number per batch, also when a batch is spread over replicas."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def _replica_context() -> Any:
    """Return TensorFlow's replica context if there are several replicas, else None."""
    if keras.backend.backend() != "tensorflow":
        return None  # On JAX a sharded batch is one global array: a sum is global already.
    import tensorflow as tf

    strategy = tf.distribute.get_strategy()
    return tf.distribute.get_replica_context() if strategy.num_replicas_in_sync > 1 else None


def global_sum(value: Any) -> Any:
    """Return the sum of a scalar over all replicas."""
    context = _replica_context()
    return value if context is None else context.all_reduce("SUM", value)


def weighted_mean(values: Any, weights: Any) -> Any:
    """Return this replica's part of the weighted mean over the global batch.

    Replicas' gradients are summed, so the parts must add up to the mean: the local numerator over
    the global weight. Without replicas it is the plain weighted mean.

    Args:
        values: [B], or a scalar that is the same on every replica.
        weights: [B] >= 0, or a scalar.

    Returns:
        Scalar float32; 0 where all weights are 0.
    """
    total = global_sum(ops.sum(weights))
    return ops.sum(values * weights) / ops.where(total > 0, total, 1.0)
