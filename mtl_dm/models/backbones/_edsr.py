"""The super-resolution network EDSR, twice the size."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers


def edsr(shape: tuple[int, int, int], blocks: int = 16, width: int = 64) -> keras.Model:
    """Return EDSR baseline, which makes images [H, W, 3] twice as large.

    Source: Lim et al. 2017, code of the authors: residual blocks of two convolutions without
    normalisation, one more convolution and a skip over all of them, and an upsampling by shuffled
    channels. It leaves out the subtraction of DIV2K's mean colour: images come in [-1, 1].

    Args:
        shape: (height, width, 3).
        blocks: Residual blocks.
        width: Channels.
    """
    images = keras.Input(shape)
    head = _convolution("head", width)(images)
    x = head
    for block in range(1, blocks + 1):
        inner = _convolution(f"block{block}_conv1", width, activation="relu")(x)
        x = layers.Add()([x, _convolution(f"block{block}_conv2", width)(inner)])
    x = layers.Add()([head, _convolution("body", width)(x)])
    x = _shuffled(_convolution("upsample", 4 * width)(x))
    return keras.Model(images, _convolution("tail", 3)(x), name="super_resolution")


def _convolution(name: str, filters: int, **options: Any) -> layers.Layer:
    return layers.Conv2D(filters, 3, padding="same", name=name, **options)


def _shuffled(x: Any) -> Any:
    """Return [B, 2 H, 2 W, C] of [B, H, W, 4 C], whose channels are ordered C, row, column."""
    height, width, channels = x.shape[1:]
    x = layers.Reshape((height, width, channels // 4, 2, 2))(x)
    x = layers.Permute((1, 4, 2, 5, 3))(x)
    return layers.Reshape((2 * height, 2 * width, channels // 4))(x)
