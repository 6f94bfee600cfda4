"""PSR (Vo et al. 2020): a pyramid of three sizes, one of them super-resolved."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from mtl_dm.models.backbones._contract import example, require_image, require_variant
from mtl_dm.models.backbones._edsr import edsr
from mtl_dm.models.backbones._spatial_transformer import spatial_transformer
from mtl_dm.models.backbones._weights import with_weights
from mtl_dm.models.backbones.normalization import GlobalBatchNormalization

Blocks = tuple[tuple[int, int], ...]
"""Channels and convolutions of each block."""

VGG_16: Blocks = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
_DEMO: Blocks = ((8, 1), (16, 1), (32, 1), (64, 1), (64, 1))
_OWN = 3


@example(
    (32, 32, 3),
    refused=((32, 32), (16, 32, 3), (32, 16, 3), (32, 32, 1), (None, None, 3), (32,)),
    exact={"dropout": 0.0},
    options={"variant": "demo"},
    source="code",
    sizes={"paper": (100, 100, 3), "demo": (48, 48, 3)},
)
def psr(
    input_shape: tuple[int, ...],
    variant: str = "paper",
    dropout: float | None = None,
    weights: str = "none",
) -> keras.Model:
    """Return the pyramid with super-resolution, features [B, 3, D] of its three branches.

    Source: Vo, Lee, Yang, Kim 2020, "Pyramid With Super Resolution for In-the-Wild Facial
    Expression Recognition", after the authors' code. Images of 100 x 100 pixels; 20,240,995
    parameters in training without the head (20,244,586 with one of 7 classes; 20,284,195 at 112).

    A spatial transformer aligns the image. Branch "half" sees it at half the size, "restored" that
    half made twice as large by EDSR, "full" the whole. Each has its own blocks 1 to 3 of VGG-16
    with batch normalisation; blocks 4 and 5 and what leads to the head are shared: average and
    maximum over the map, batch normalisation, dense 512, ReLU, batch normalisation. The branches
    are parts of one prediction: the mean of their softmaxes, and the mean of their losses.
    A weighting of the branches is in the code as a comment only and is not here. Targets: `Task`
    with `label_smoothing=0.2` and a `smoothing_prior`, in Python: the command line has
    --label_smoothing alone, which spreads it evenly.

    Where the code is silent or differs:
        - Weights start at random (He et al. 2015 in the VGG part); the authors start from a
          training on FER+. All of it is trained, EDSR too.
        - Sampling is between the centres of the outer pixels, and 0 outside.
        - A side that is odd loses a row or column in the halves.
        - Statistics of shared normalisations are those of all three branches, one after another.
        - The authors train groups of layers at rates from 1e-5 to 5e-3. At one rate of 1e-3 the
          transformer turned the image out of sight within 200 steps of the demo, so that the
          demo's map stays within 0.25 of identity. Paper: no bound; train it at a low rate.
        - Demo (ours): an eighth of the channels, one convolution a block, two blocks of EDSR, no
          pooling in blocks 4 and 5 (of 48 pixels five poolings leave nothing), and average and
          maximum over each cell of a grid instead of the whole map.

    Args:
        input_shape: (height, width, 3), each side at least 64, of the demo 32.
        variant: "paper" or "demo".
        dropout: Share of the features dropped in training, half of it before the dense layer;
            None: 0.5, of the demo 0.2.
        weights: none or the path of a file.

    Raises:
        ValueError: If the variant is unknown, `input_shape` is no such image, or weights do not
            fit.
        FileNotFoundError: If there is no file of weights.
    """
    demo = require_variant("psr", variant)
    shape = require_image("psr", input_shape, 32 if demo else 64)
    blocks, width, depth = (_DEMO, 8, 2) if demo else (VGG_16, 64, 16)
    if dropout is None:
        dropout = 0.2 if demo else 0.5
    images = keras.Input(shape)
    aligned = spatial_transformer(shape, 0.25 if demo else None)(images)
    half = layers.AveragePooling2D(2, name="half")(aligned)
    restored = edsr(half.shape[1:], depth, width)(half)
    branches = [
        _own(f"branch_{name}", blocks)(branch)
        for name, branch in (("half", half), ("restored", restored), ("full", aligned))
    ]
    shared = _shared(blocks, pooled=not demo)
    maps = [shared(branch) for branch in branches]
    grid = maps[0].shape[1:3] if demo else (1, 1)
    cells = [_average_and_maximum(each, grid) for each in maps]
    head = _head(cells[0].shape[-1], blocks[-1][0], dropout)
    parts = [layers.Reshape((1, blocks[-1][0]))(head(each)) for each in cells]
    model = keras.Model(images, layers.Concatenate(axis=1, name="parts")(parts), name="psr")
    return with_weights(model, weights, "psr")


def _own(name: str, blocks: Blocks) -> keras.Model:
    """Return the blocks of one branch alone, for images of any size."""
    images = keras.Input((None, None, 3))
    x = images
    for number, block in enumerate(blocks[:_OWN], start=1):
        x = layers.MaxPooling2D()(_block(x, number, *block))
    return keras.Model(images, x, name=name)


def _shared(blocks: Blocks, *, pooled: bool) -> keras.Model:
    """Return the blocks of all branches, for maps of any size."""
    maps = keras.Input((None, None, blocks[_OWN - 1][0]))
    x = maps
    for number, block in enumerate(blocks[_OWN:], start=_OWN + 1):
        x = _block(x, number, *block)
        x = layers.MaxPooling2D()(x) if pooled else x
    return keras.Model(maps, x, name="shared")


def _average_and_maximum(x: Any, grid: tuple[int, int]) -> Any:
    """Return both over each cell of a grid, [B, rows * columns * 2 C]."""
    size = tuple(side // cells for side, cells in zip(x.shape[1:3], grid, strict=True))
    pooled = [layers.AveragePooling2D(size)(x), layers.MaxPooling2D(size)(x)]
    return layers.Flatten()(layers.Concatenate()(pooled))


def _head(length: int, units: int, dropout: float) -> keras.Model:
    """Return the way of all branches from what they saw to their features."""
    seen = keras.Input((length,))
    x = layers.Dropout(dropout / 2)(_normalised("bn1", seen))
    x = layers.Dense(units, activation="relu", name="dense")(x)
    return keras.Model(seen, layers.Dropout(dropout)(_normalised("bn2", x)), name="head")


def _block(x: Any, number: int, channels: int, convolutions: int) -> Any:
    for place in range(1, convolutions + 1):
        name = f"block{number}_conv{place}"
        x = layers.Conv2D(channels, 3, padding="same", kernel_initializer="he_normal", name=name)(x)
        x = layers.ReLU()(_normalised(f"{name}_bn", x))
    return x


def _normalised(name: str, x: Any) -> Any:
    # As of torch: a memory of ten steps, which the demo's short runs need too.
    return GlobalBatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x)
