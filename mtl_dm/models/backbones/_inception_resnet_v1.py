"""InceptionResnetV1 (Szegedy et al. 2016) as a face network: convolutions without bias.

The layout is that of the network that David Sandberg's facenet trained and its PyTorch
port carries: stem, 5 blocks at 256 channels, reduction, 10 at 896, reduction, 6 at 1,792, mean,
and a linear map to 512. Batch normalisation follows every convolution but the last of a block.
"""

from __future__ import annotations

from typing import Any, NamedTuple

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
    blocks, inputs = Blocks(), keras.Input(input_shape)
    x = blocks.trunk(blocks.stem(inputs), 5, 10)
    x = layers.GlobalAveragePooling2D()(blocks.last(x, 6))
    if bottleneck is not None:
        x = layers.Dropout(dropout)(x)
        x = blocks.normalised(layers.Dense(bottleneck, use_bias=False)(x))
    return keras.Model(inputs, x, name="inception_resnet_v1")


class Blocks(NamedTuple):
    """The parts of the network, in one width and one kind of batch normalisation.

    Attributes:
        width: Channels beside those of the source.
        gamma: Whether the normalisation scales, which convolutions and ReLU make up for.
        momentum: Of its moving statistics.
    """

    width: float = 1.0
    gamma: bool = True
    momentum: float = 0.9

    def stem(self, x: Any) -> Any:
        """Return the map before the first block, about a tenth of the image's side."""
        x = self.convolution(x, 32, 3, strides=2, padding="valid")
        x = self.convolution(x, 32, 3, padding="valid")
        x = self.convolution(x, 64, 3)
        x = layers.MaxPooling2D(3, strides=2)(x)
        x = self.convolution(x, 80, 1)
        x = self.convolution(x, 192, 3, padding="valid")
        return self.convolution(x, 256, 3, strides=2, padding="valid")

    def trunk(self, x: Any, first: int, second: int) -> Any:
        """Return the map after the second reduction.

        Args:
            x: Of the stem.
            first: Blocks before the first reduction.
            second: Blocks between the two.
        """
        for _ in range(first):
            x = self.residual(x, [[(32, 1)], [(32, 1), (32, 3)], [(32, 1), (32, 3), (32, 3)]], 0.17)
        x = self._reduction(x, [[(384, 3)], [(192, 1), (192, 3), (256, 3)]])
        for _ in range(second):
            x = self.residual(x, [[(128, 1)], [(128, 1), (128, (1, 7)), (128, (7, 1))]], 0.10)
        return self._reduction(
            x, [[(256, 1), (384, 3)], [(256, 1), (256, 3)], [(256, 1), (256, 3), (256, 3)]]
        )

    def last(self, x: Any, count: int) -> Any:
        """Return the map after the last blocks, of which the very last has no ReLU."""
        branches: list[list[Any]] = [[(192, 1)], [(192, 1), (192, (1, 3)), (192, (3, 1))]]
        for _ in range(count - 1):
            x = self.residual(x, branches, 0.20)
        return self.residual(x, branches, 1.0, activation=None)

    def residual(
        self, x: Any, branches: list[list[Any]], scale: float, activation: Any = "relu"
    ) -> Any:
        """Return an image plus a scaled map of parallel convolutions, given as (channels, side)."""
        ends = []
        for branch in branches:
            end = x
            for channels, side in branch:
                end = self.convolution(end, channels, side)
            ends.append(end)
        change = layers.Conv2D(x.shape[-1], 1)(layers.Concatenate()(ends))
        total = layers.Add()([x, layers.Rescaling(scale)(change)])
        return total if activation is None else layers.Activation(activation)(total)

    def _reduction(self, x: Any, branches: list[list[Any]]) -> Any:
        """Return half the size: each branch's last convolution strides, beside a maximum."""
        ends = []
        for branch in branches:
            end = x
            for channels, side in branch[:-1]:
                end = self.convolution(end, channels, side)
            channels, side = branch[-1]
            ends.append(self.convolution(end, channels, side, strides=2, padding="valid"))
        return layers.Concatenate()([*ends, layers.MaxPooling2D(3, strides=2)(x)])

    def convolution(
        self, x: Any, channels: int, side: Any, strides: int = 1, padding: str = "same"
    ) -> Any:
        """Return a convolution, normalised, with ReLU."""
        channels = max(1, round(self.width * channels))
        x = layers.Conv2D(channels, side, strides=strides, padding=padding, use_bias=False)(x)
        return layers.ReLU()(self.normalised(x))

    def normalised(self, x: Any) -> Any:
        """Return what batch normalisation makes of it."""
        return GlobalBatchNormalization(momentum=self.momentum, epsilon=1e-3, scale=self.gamma)(x)
