"""A small strided CNN that a laptop trains in a minute."""

from __future__ import annotations

import keras
from keras import layers


def compact_cnn(
    input_shape: tuple[int, ...], widths: tuple[int, ...] = (16, 32, 64, 128), dropout: float = 0.2
) -> keras.Model:
    """Return a stack of stride-2 3x3 convolutions, average-pooled to features.

    Source: this project; all its arithmetic is in convolutions that a CPU runs well.

    Args:
        input_shape: (height, width, channels), each side at least 16.
        widths: Channels of the layers; each halves the resolution.
        dropout: Share of features dropped in training.

    Raises:
        ValueError: If `input_shape` is no image or too small.
    """
    if len(input_shape) != 3 or min(input_shape[:2]) < 16:
        raise ValueError(
            "compact_cnn needs images of at least 16 x 16 pixels, got input_shape "
            f"{tuple(input_shape)}."
        )
    inputs = keras.Input(input_shape)
    x = inputs
    for index, width in enumerate(widths):
        x = layers.Conv2D(
            width, 3, strides=2, padding="same", use_bias=False, name=f"convolution_{index}"
        )(x)
        # Synchronised: a replica's share of a batch may hold a single task.
        x = layers.BatchNormalization(synchronized=True, name=f"normalization_{index}")(x)
        x = layers.ReLU(name=f"activation_{index}")(x)
    x = layers.GlobalAveragePooling2D(name="pooling")(x)
    outputs = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(inputs, outputs, name="compact_cnn")
