"""A small strided CNN that a laptop trains in a minute."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from mtl_dm.models.backbones._contract import example
from mtl_dm.models.backbones.normalization import GlobalBatchNormalization


@example(
    (16, 16, 3),
    refused=((16, 16), (8, 16, 3), (16, 8, 3), (16,), (2, 16, 16, 3), (None, None, 3)),
    exact={"dropout": 0.0},
)
def compact_cnn(input_shape: tuple[int, ...], dropout: float = 0.4) -> keras.Model:
    """Return four 3x3 convolutions that shrink an image eightfold, flattened to features.

    Source: this project. The features keep their place in the image: a face is aligned, so
    where something moves says what moves, and pooling it away costs most of the accuracy.

    Args:
        input_shape: (height, width, channels), each side at least 16.
        dropout: Share of features dropped in training.

    Raises:
        ValueError: If `input_shape` is no image or too small.
    """
    if len(input_shape) != 3 or None in input_shape or min(input_shape[:2]) < 16:
        raise ValueError(
            "compact_cnn needs images of at least 16 x 16 pixels, got input_shape "
            f"{tuple(input_shape)}."
        )
    inputs = keras.Input(input_shape)
    x = _convolution(inputs, 24, strides=2)
    x = _convolution(x, 48, strides=2)
    x = _convolution(x, 64)
    x = layers.MaxPooling2D()(x)
    x = _convolution(x, 96)
    outputs = layers.Dropout(dropout)(layers.Flatten()(x))
    return keras.Model(inputs, outputs, name="compact_cnn")


def _convolution(x: Any, channels: int, strides: int = 1) -> Any:
    x = layers.Conv2D(channels, 3, strides=strides, padding="same", use_bias=False)(x)
    x = GlobalBatchNormalization(momentum=0.9)(x)  # Short memory: runs are short.
    return layers.ReLU()(x)
