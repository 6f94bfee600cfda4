"""ResNets of bottleneck blocks whose convolutions have no bias (He et al. 2016)."""

from __future__ import annotations

import dataclasses
from typing import Any

from keras import layers

from mtl_dm.models.backbones.normalization import GlobalBatchNormalization

EXPANSION = 4
"""Channels that a block returns for one of its 3 x 3 convolution."""


@dataclasses.dataclass(frozen=True)
class Bottlenecks:
    """What tells such networks apart.

    Attributes:
        channels: Of the first convolution and of the first stage's 3 x 3 ones; every stage has
            twice as many as the one before.
        repeats: Blocks of each stage.
        strides: Of each stage.
        torch: As torchvision has it: a stage strides in its first 3 x 3 convolution, and what
            strides has the same frame of zeros on all sides; otherwise in its first 1 x 1.
        momentum: Of the running statistics.
        epsilon: Added to variances.
        initializer: Of the convolutions' kernels.
    """

    channels: int
    repeats: tuple[int, ...]
    strides: tuple[int, ...]
    torch: bool
    momentum: float
    epsilon: float = 1e-3
    initializer: str = "glorot_uniform"

    @property
    def width(self) -> int:
        """Channels of the last map."""
        return self.channels * 2 ** (len(self.repeats) - 1) * EXPANSION


def bottleneck_map(images: Any, layout: Bottlenecks) -> Any:
    """Return the last map: a convolution of 7 x 7, a maximum of 3 x 3, the stages.

    Args:
        images: [B, H, W, C].
        layout: Of the network.
    """
    x = _normalised(images, "conv1", layout, layout.channels, 7, strides=2)
    x = layers.ReLU(name="conv1_relu")(x)
    # What a ReLU gives is never below the zeros of a frame.
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x) if layout.torch else x
    x = layers.MaxPooling2D(3, 2, name="pool1")(x)
    for stage, (repeats, strides) in enumerate(zip(layout.repeats, layout.strides, strict=True)):
        for place in range(repeats):
            name = f"conv{stage + 2}_{place + 1}"
            channels = layout.channels * 2**stage
            x = _block(x, name, layout, channels, None if place else strides)
    return x


def _block(x: Any, name: str, layout: Bottlenecks, channels: int, strides: int | None) -> Any:
    """Three convolutions and a shortcut, which is one itself where a stage begins."""
    by = strides or 1
    outer, inner = (1, by) if layout.torch else (by, 1)
    y = _normalised(x, f"{name}_reduce", layout, channels, 1, strides=outer)
    y = layers.ReLU(name=f"{name}_reduce_relu")(y)
    y = _normalised(y, f"{name}_conv", layout, channels, 3, strides=inner)
    y = layers.ReLU(name=f"{name}_conv_relu")(y)
    y = _normalised(y, f"{name}_increase", layout, channels * EXPANSION, 1)
    if strides is not None:
        x = _normalised(x, f"{name}_shortcut", layout, channels * EXPANSION, 1, strides=by)
    return layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_add")([x, y]))


def _normalised(
    x: Any, name: str, layout: Bottlenecks, channels: int, size: int, strides: int = 1
) -> Any:
    framed = layout.torch and strides > 1 and size > 1
    if framed:
        # "same" pads on one side alone where a side is even.
        x = layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
    x = layers.Conv2D(
        channels,
        size,
        strides=strides,
        padding="valid" if framed else "same",
        use_bias=False,
        kernel_initializer=layout.initializer,
        name=name,
    )(x)
    return GlobalBatchNormalization(
        momentum=layout.momentum, epsilon=layout.epsilon, name=f"{name}_bn"
    )(x)
