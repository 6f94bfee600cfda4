"""One hidden layer over given feature vectors."""

from __future__ import annotations

import keras
from keras import layers

from mtl_dm.models.backbones._contract import example


@example((10,), refused=((4, 4), (4, 4, 3)), exact={"dropout": 0.0})
def dense_trunk(
    input_shape: tuple[int, ...], width: int = 256, dropout: float = 0.5
) -> keras.Model:
    """Return a dense ReLU layer between dropouts, for the features of a frozen network.

    Args:
        input_shape: (D,), the length of a feature vector.
        width: Units of the hidden layer.
        dropout: Share of hidden units dropped in training.

    Raises:
        ValueError: If `input_shape` is no vector.
    """
    if len(input_shape) != 1:
        raise ValueError(
            f"dense_trunk needs feature vectors, got input_shape {tuple(input_shape)}."
        )
    inputs = keras.Input(input_shape)
    x = layers.Dense(width, activation="relu", name="hidden")(inputs)
    outputs = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(inputs, outputs, name="dense_trunk")
