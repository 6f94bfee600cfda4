"""Parts of networks over sequences [B, T, D] in which frames may be missing.

A mask [B, T] is above 0 where a frame is there. What stands at other frames changes nothing:
attention does not look at them, means leave them out. Functions whose name ends in `_block` add
layers of Keras to a functional model.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

_EPSILON = 1e-5


@keras.saving.register_keras_serializable("mtl_dm")
class Present(layers.Layer):
    """A mask as bools [B, T]; of several masks, where any of them has the frame."""

    def call(self, *masks: Any) -> Any:
        """Return which frames are there."""
        present = ops.greater(masks[0], 0)
        for mask in masks[1:]:
            present = ops.logical_or(present, ops.greater(mask, 0))
        return present

    def compute_output_spec(self, *masks: Any) -> Any:
        """Return the shape and type of the result."""
        return keras.KerasTensor(masks[0].shape, dtype="bool")


@keras.saving.register_keras_serializable("mtl_dm")
class ZeroMissing(layers.Layer):
    """A sequence [B, T, D] with zeros, even for NaN, at frames that are not there."""

    def call(self, sequence: Any, present: Any) -> Any:
        """Return the sequence.

        Args:
            sequence: [B, T, D].
            present: bool [B, T].
        """
        return ops.where(present[..., None], sequence, ops.zeros_like(sequence))

    def compute_output_spec(self, sequence: Any, present: Any) -> Any:
        """Return the shape and type of the result."""
        del present
        return keras.KerasTensor(sequence.shape, dtype=sequence.dtype)


@keras.saving.register_keras_serializable("mtl_dm")
class PresentMean(layers.Layer):
    """The mean over time of the frames that are there, [B, D]; 0 where none is."""

    def call(self, sequence: Any, present: Any) -> Any:
        """Return the mean.

        Args:
            sequence: [B, T, D].
            present: bool [B, T].
        """
        weights = ops.cast(present, sequence.dtype)[..., None]
        return ops.sum(sequence * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1.0)

    def compute_output_spec(self, sequence: Any, present: Any) -> Any:
        """Return the shape and type of the result."""
        del present
        return keras.KerasTensor((sequence.shape[0], sequence.shape[2]), dtype=sequence.dtype)


@keras.saving.register_keras_serializable("mtl_dm")
class SinusoidalPositions(layers.Layer):
    """A sequence plus sines and cosines of its frames' numbers (Vaswani et al. 2017, 3.5)."""

    def call(self, sequence: Any) -> Any:
        """Return the sum, [B, T, D]."""
        _, length, size = sequence.shape
        return sequence + ops.cast(positions(length, size), sequence.dtype)


def positions(length: int, size: int) -> np.ndarray:
    """Return float32 [T, D]: sin(t / 10000^(2i/D)) in column 2i, the cosine beside it."""
    angles = np.arange(length)[:, None] / 10_000 ** (np.arange(0, size, 2) / size)
    table = np.zeros((length, size), np.float32)
    table[:, 0::2], table[:, 1::2] = np.sin(angles), np.cos(angles[:, : size // 2])
    return table


def attention_block(sequence: Any, present: Any, heads: int, dropout: float) -> Any:
    """Return a sequence after it attended to itself, added and normalised.

    Args:
        sequence: [B, T, D].
        present: bool [B, T].
        heads: Heads, a divisor of D.
        dropout: Share dropped of the attention and of its result.
    """
    length, size = sequence.shape[1:]
    attention = layers.MultiHeadAttention(heads, size // heads, dropout=dropout)
    mask = layers.Reshape((1, length))(present)
    return _added(sequence, attention(sequence, sequence, attention_mask=mask), dropout)


def token_block(sequence: Any, token: Any, dropout: float) -> Any:
    """Return a sequence after it attended to one token, added and normalised.

    The weight of a single key is 1 whatever queries and keys are: what remains of the attention
    are the maps of its values and of its output.

    Args:
        sequence: [B, T, D].
        token: [B, D].
        dropout: Share dropped of the result.
    """
    length, size = sequence.shape[1:]
    seen = layers.Dense(size)(layers.Dense(size)(token))
    return _added(sequence, layers.RepeatVector(length)(seen), dropout)


def feed_forward_block(sequence: Any, width: int, dropout: float) -> Any:
    """Return a sequence after a hidden ReLU layer on each frame, added and normalised."""
    hidden = layers.Dense(width, activation="relu")(sequence)
    hidden = layers.Dropout(dropout)(hidden)
    return _added(sequence, layers.Dense(sequence.shape[-1])(hidden), dropout)


def _added(sequence: Any, change: Any, dropout: float) -> Any:
    total = layers.Add()([sequence, layers.Dropout(dropout)(change)])
    return layers.LayerNormalization(epsilon=_EPSILON)(total)
