"""The thirteen convolutions and two dense layers that Kollias's networks of faces share."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from mtl_dm.models.backbones._contract import require_image, require_variant
from mtl_dm.models.backbones._library import with_outputs
from mtl_dm.models.backbones._weights import with_weights

_CHANNELS = (64, 128, 256, 512, 512)
_PAPER = {"width": 1.0, "repeats": (2, 2, 3, 3, 3), "pooled": 5, "dense": 4096}
_DEMO = {"width": 0.125, "repeats": (1, 1, 2, 2, 2), "pooled": 3, "dense": 128}


def vgg_face(
    name: str,
    input_shape: tuple[int, ...],
    variant: str,
    weights: str,
    dropout: float | None,
    outputs: tuple[str, ...],
) -> keras.Model:
    """Return VGG-Face up to its second dense layer, as `vggface` describes it.

    Args:
        name: Of the backbone.
        input_shape: (height, width, 3), each side at least 32.
        variant: "paper" or "demo".
        weights: none or the path of a file.
        dropout: Share of units dropped behind each dense layer in training; None: 0.5, of the
            demo 0.2.
        outputs: Names of layers whose outputs are given too.

    Raises:
        ValueError: If an option or the input's shape is none that the network takes, or weights
            do not fit.
        FileNotFoundError: If there is no file of weights.
    """
    is_demo = require_variant(name, variant)
    sizes: dict[str, Any] = _DEMO if is_demo else _PAPER
    if dropout is None:
        dropout = 0.2 if is_demo else 0.5
    inputs = keras.Input(require_image(name, input_shape, 32), name="images")
    x = inputs
    for group, (channels, repeats) in enumerate(zip(_CHANNELS, sizes["repeats"], strict=True), 1):
        for place in range(1, repeats + 1):
            x = layers.Conv2D(
                round(channels * sizes["width"]),
                3,
                padding="same",
                activation="relu",
                kernel_initializer="he_uniform",
                name=f"block{group}_conv{place}",
            )(x)
        if group <= sizes["pooled"]:
            x = layers.MaxPooling2D(name=f"block{group}_pool")(x)
    x = _dense(layers.Flatten(name="flatten")(x), sizes["dense"], "fc6")
    x = layers.Dropout(dropout, name="fc6_dropout")(x) if dropout else x
    model = keras.Model(inputs, _dense(x, sizes["dense"], "fc7"), name=name)
    with_weights(model, weights, name)
    return with_outputs(model, outputs, dropout)


def _dense(x: Any, units: int, name: str) -> Any:
    dense = layers.Dense(units, activation="relu", kernel_initializer="he_uniform", name=name)
    return dense(x)
