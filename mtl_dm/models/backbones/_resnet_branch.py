"""Residual stages of two 3x3 convolutions a block, as in ResNet-18 (He et al. 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import layers

from mtl_dm.models.backbones.normalization import GlobalBatchNormalization


def convolved(x: Any, name: str, filters: int, size: int = 3, strides: int = 1) -> Any:
    """Return a convolution without bias and its normalisation."""
    x = layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    # Short memory: runs are short.
    return GlobalBatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)


def residual_stage(x: Any, name: str, filters: int, blocks: int, strides: int) -> Any:
    """Return a stage of residual blocks, the first of which strides.

    Args:
        x: [B, H, W, C].
        name: Prefix of its layers.
        filters: Channels of the result.
        blocks: Number of blocks.
        strides: Of the first one.
    """
    for number in range(1, blocks + 1):
        block, by = f"{name}_block{number}", strides if number == 1 else 1
        inner = layers.ReLU()(convolved(x, f"{block}_1", filters, strides=by))
        inner = convolved(inner, f"{block}_2", filters)
        if by != 1 or x.shape[-1] != filters:
            x = convolved(x, f"{block}_skip", filters, size=1, strides=by)
        x = layers.ReLU()(layers.Add()([x, inner]))
    return x


def residual_branch(x: Any, name: str, widths: Sequence[int], blocks: int) -> Any:
    """Return stages that halve the map each, and its mean: features [B, widths[-1]]."""
    for number, filters in enumerate(widths, start=1):
        x = residual_stage(x, f"{name}_stage{number}", filters, blocks, strides=2)
    return layers.GlobalAveragePooling2D(name=f"{name}_features")(x)
