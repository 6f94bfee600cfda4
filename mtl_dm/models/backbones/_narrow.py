"""Another size of a network of `keras.applications`, by building its graph anew."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import keras
from keras import layers

from mtl_dm.models.backbones.normalization import GlobalBatchNormalization


@dataclasses.dataclass(frozen=True)
class Size:
    """What becomes of a network.

    Attributes:
        width: Factor on the channels of every layer.
        fewest: Fewest channels that a layer is narrowed to.
        dropped: Pattern of the names of layers that hand on their (first) input instead: repeats
            of a block, padding before a stride that goes, poolings.
        unstrided: Pattern of the names of convolutions that lose their stride.
        momentum: Of the running statistics; None: as in the network.
        drop_connect: Factor on the rates of its own dropout layers.
        initializer: Of the convolutions' kernels; None: as in the network.
        cells: Cells a side of the grid over which the last map is averaged.
    """

    width: float = 1.0
    fewest: int = 4
    dropped: str = ""
    unstrided: str = ""
    momentum: float | None = None
    drop_connect: float = 1.0
    initializer: str | None = None
    cells: int = 1


def narrowed(model: keras.Model, size: Size) -> keras.Model:
    """Return a network of the same layer names in another size, its weights drawn anew.

    Batch normalisation is `GlobalBatchNormalization` in it.

    Args:
        model: A functional model.
        size: What becomes of it.
    """

    def call(layer: Any, *inputs: Any, **options: Any) -> Any:
        if _matches(size.dropped, layer):
            first = inputs[0]
            return first[0] if isinstance(first, (list, tuple)) else first
        return layer(*inputs, **options)

    return keras.models.clone_model(
        model, clone_function=lambda layer: _resized(layer, size), call_function=call
    )


def _matches(pattern: str, layer: Any) -> bool:
    return bool(pattern) and re.fullmatch(pattern, layer.name) is not None


def _resized(layer: Any, size: Size) -> Any:
    config = layer.get_config()
    if isinstance(layer, layers.BatchNormalization):
        del config["synchronized"]  # Which the class decides.
        config["momentum"] = size.momentum or config["momentum"]
        return GlobalBatchNormalization.from_config(config)
    for channels in ("filters", "units"):
        if channels in config:
            config[channels] = _narrow(config[channels], size)
    if size.initializer is not None and "kernel_initializer" in config:
        config["kernel_initializer"] = size.initializer
    if isinstance(layer, layers.Reshape):  # Of a squeeze-and-excitation.
        *places, channels = config["target_shape"]
        config["target_shape"] = (*places, _narrow(channels, size))
    if isinstance(layer, layers.Dropout):
        config["rate"] = config["rate"] * size.drop_connect
    if _matches(size.unstrided, layer):
        config.update(strides=(1, 1), padding="same")
    return type(layer).from_config(config)


def _narrow(channels: int, size: Size) -> int:
    if size.width == 1:
        return channels
    return max(min(channels, size.fewest), round(channels * size.width))
