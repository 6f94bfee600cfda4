"""InceptionResnetV1 (Szegedy et al. 2016) as a face network: convolutions without bias.

The layout is that of the network that David Sandberg's facenet trained and its PyTorch
port carries: stem, 5 blocks at 256 channels, reduction, 10 at 896, reduction, 6 at 1,792, mean,
and a linear map to 512. Batch normalisation follows every convolution but the last of a block.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from mtl_dm.models.backbones.normalization import GlobalBatchNormalization

LEAST_SIDE = 75
"""The smallest image that is still a pixel after the last reduction."""


def inception_resnet_v1(
    input_shape: tuple[int, ...], bottleneck: int | None = 512, dropout: float = 0.6
) -> keras.Model:
    """Return the network from images to features.

    Args:
        input_shape: (height, width, 3), each side at least `LEAST_SIDE`.
        bottleneck: Features of the linear map at the end; None: the 1,792 means.
        dropout: Share of the means dropped in training before the linear map.
    """
    inputs = keras.Input(input_shape)
    x = _stem(inputs)
    for _ in range(5):
        x = _residual(x, [[(32, 1)], [(32, 1), (32, 3)], [(32, 1), (32, 3), (32, 3)]], 0.17)
    x = _reduction(x, [[(384, 3)], [(192, 1), (192, 3), (256, 3)]])
    for _ in range(10):
        x = _residual(x, [[(128, 1)], [(128, 1), (128, (1, 7)), (128, (7, 1))]], 0.10)
    x = _reduction(x, [[(256, 1), (384, 3)], [(256, 1), (256, 3)], [(256, 1), (256, 3), (256, 3)]])
    last: list[list[tuple[int, Any]]] = [[(192, 1)], [(192, 1), (192, (1, 3)), (192, (3, 1))]]
    for _ in range(5):
        x = _residual(x, last, 0.20)
    x = _residual(x, last, 1.0, activation=None)
    x = layers.GlobalAveragePooling2D()(x)
    if bottleneck is not None:
        x = layers.Dropout(dropout)(x)
        x = layers.Dense(bottleneck, use_bias=False)(x)
        x = _normalised(x)
    return keras.Model(inputs, x, name="inception_resnet_v1")


def _stem(x: Any) -> Any:
    x = _convolution(x, 32, 3, strides=2, padding="valid")
    x = _convolution(x, 32, 3, padding="valid")
    x = _convolution(x, 64, 3)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = _convolution(x, 80, 1)
    x = _convolution(x, 192, 3, padding="valid")
    return _convolution(x, 256, 3, strides=2, padding="valid")


def _residual(x: Any, branches: list[list[Any]], scale: float, activation: Any = "relu") -> Any:
    """Return an image plus a scaled map of parallel convolutions, given as (channels, side)."""
    ends = []
    for branch in branches:
        end = x
        for channels, side in branch:
            end = _convolution(end, channels, side)
        ends.append(end)
    change = layers.Conv2D(x.shape[-1], 1)(layers.Concatenate()(ends))
    total = layers.Add()([x, layers.Rescaling(scale)(change)])
    return total if activation is None else layers.Activation(activation)(total)


def _reduction(x: Any, branches: list[list[Any]]) -> Any:
    """Return half the size: each branch's last convolution strides, beside a maximum."""
    ends = []
    for branch in branches:
        end = x
        for channels, side in branch[:-1]:
            end = _convolution(end, channels, side)
        channels, side = branch[-1]
        ends.append(_convolution(end, channels, side, strides=2, padding="valid"))
    return layers.Concatenate()([*ends, layers.MaxPooling2D(3, strides=2)(x)])


def _convolution(x: Any, channels: int, side: Any, strides: int = 1, padding: str = "same") -> Any:
    x = layers.Conv2D(channels, side, strides=strides, padding=padding, use_bias=False)(x)
    return layers.ReLU()(_normalised(x))


def _normalised(x: Any) -> Any:
    return GlobalBatchNormalization(momentum=0.9, epsilon=1e-3)(x)
