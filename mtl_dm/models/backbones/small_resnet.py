"""A small residual network for aligned faces of about 48 pixels, which a CPU trains in an hour."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from mtl_dm.models.backbones._contract import example, require_image
from mtl_dm.models.backbones.normalization import GlobalBatchNormalization

STAGES = 4
"""Residual blocks, each with twice the channels of the one before."""


@example(
    (16, 16, 1),
    refused=((16, 16), (8, 16, 3), (16, 8, 3), (None, None, 3), (2, 16, 16, 3)),
    exact={"dropout": 0.0},
    options={"width": 4},
    sizes={"": (48, 48, 1)},
)
def small_resnet(
    input_shape: tuple[int, ...], width: int = 24, dropout: float = 0.4
) -> keras.Model:
    """Return a strided convolution and four residual blocks, flattened to features.

    Source: this project, out of blocks as in He et al. 2016 ("Deep Residual Learning", figure 2
    left, with projections where the shape changes). Deviations: every image is first brought to
    mean 0 and variance 1, so that light and contrast of a photo as a whole change nothing; one
    block a stage; the first convolution alone brings the image to half its side, where a CPU
    spends most of its time; the features keep their place in the image, as in `compact_cnn`.

    Args:
        input_shape: (height, width, channels), each side at least 16.
        width: Channels of the first block, at least 1.
        dropout: Share of features dropped in training.

    Raises:
        ValueError: If `input_shape` is no image or too small, or `width` is below 1.
    """
    if width < 1:
        raise ValueError(f"small_resnet needs a width of at least 1, got {width}.")
    inputs = keras.Input(require_image("small_resnet", input_shape, 16, colour=False))
    return keras.Model(inputs, features_of(inputs, width, dropout), name="small_resnet")


def features_of(images: Any, width: int, dropout: float) -> Any:
    """Return the features [B, D] of symbolic images [B, H, W, C]; as `small_resnet`."""
    x = layers.LayerNormalization(axis=(1, 2, 3), center=False, scale=False)(images)
    x = layers.ReLU()(_convolution(x, "stem", width, size=5, strides=2))
    for stage in range(STAGES):
        x = _block(x, f"block{stage + 1}", width * 2**stage, strides=1 if stage == 0 else 2)
    return layers.Dropout(dropout)(layers.Flatten()(x))


def _block(x: Any, name: str, channels: int, strides: int) -> Any:
    inner = layers.ReLU()(_convolution(x, f"{name}_1", channels, size=3, strides=strides))
    inner = _convolution(inner, f"{name}_2", channels, size=3)
    if strides > 1:
        x = _convolution(x, f"{name}_shortcut", channels, size=1, strides=strides)
    return layers.ReLU()(layers.Add()([inner, x]))


def _convolution(x: Any, name: str, channels: int, size: int, strides: int = 1) -> Any:
    x = layers.Conv2D(
        channels,
        size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return GlobalBatchNormalization(momentum=0.97, name=f"{name}_norm")(x)
