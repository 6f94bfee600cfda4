"""A small strided CNN that a laptop trains in a minute."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from mtl_dm.models.backbones._contract import example, require_image
from mtl_dm.models.backbones.normalization import GlobalBatchNormalization


@example(
    (16, 16, 3),
    refused=(
        (16, 16),
        (8, 16, 3),
        (16, 8, 3),
        (16,),
        (2, 16, 16, 3),
        (None, None, 3),
        {"image": (16, 16, 3), "words": (9, 50), "words_mask": (9,)},
    ),
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
    inputs = keras.Input(require_image("compact_cnn", input_shape, 16, colour=False))
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
