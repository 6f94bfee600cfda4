"""VGGFACE, VGG-16 for faces (Kollias et al. 2020), after its paper: no code was found."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from mtl_dm.models.backbones._contract import example, require_image, require_variant
from mtl_dm.models.backbones._library import SHAPES, with_outputs
from mtl_dm.models.backbones._weights import with_weights

_CHANNELS = (64, 128, 256, 512, 512)
_PAPER = {"width": 1.0, "repeats": (2, 2, 3, 3, 3), "pooled": 5, "dense": 4096}
_DEMO = {"width": 0.125, "repeats": (1, 1, 2, 2, 2), "pooled": 3, "dense": 128}


@example(
    (32, 32, 3),
    SHAPES,
    exact={"dropout": 0.0},
    options={"variant": "demo"},
    source="paper",
    sizes={"paper": (112, 112, 3), "demo": (48, 48, 3)},
)
def vggface(
    input_shape: tuple[int, ...],
    variant: str = "paper",
    weights: str = "none",
    dropout: float | None = None,
    outputs: tuple[str, ...] = (),
) -> keras.Model:
    """Return thirteen convolutions and two dense layers of 4096 features.

    Source: paper. The thirteen convolutions and two layers of 4096 units of VGG-Face.
    50,374,464 parameters at 112 px and at 96 px, which both leave a map of 3 x 3; 134,260,544 at
    224 px (with seven outputs 28,679 more).

    The source is silent, or we differ:
        - Input: 96 px, as far as we know; Table 2 is at 112 px. [-1, 1] RGB as it comes, where
          VGG-Face itself takes BGR minus a mean.
        - It starts from VGG-Face, whose weights come with no library: weights=PATH. Convolutions
          are called as in Keras's VGG-16, the dense layers fc6 and fc7.
        - ReLU after every layer, no batch normalisation, maxima of 2 x 2 behind each of the five
          groups, as in VGG-16.
        - Dropout 0.5 behind both dense layers, as VGG-16 has; the paper states none that we know.
        - Initialisation: He's, since without it and without normalisation a start from scratch
          stands still.

    Own recipe: not known.

    Demo: an eighth of the channels, convolutions 1, 1, 2, 2, 2 instead of 2, 2, 3, 3, 3, dense
    layers of 128, the first three maxima alone, so that a map of 6 x 6 is left of 48 px; dropout
    0.2.

    Args:
        input_shape: (height, width, 3), each side at least 32.
        variant: "paper" or "demo".
        weights: none or the path of a file.
        dropout: Share of units dropped behind each dense layer in training; None: 0.5, of the
            demo 0.2.
        outputs: Names of layers whose outputs are given too: the backbone then gives a dictionary
            with "features" and an entry a name.

    Raises:
        ValueError: If an option or the input's shape is none that the network takes, or weights
            do not fit.
        FileNotFoundError: If there is no file of weights.
    """
    is_demo = require_variant("vggface", variant)
    sizes: dict[str, Any] = _DEMO if is_demo else _PAPER
    if dropout is None:
        dropout = 0.2 if is_demo else 0.5
    inputs = keras.Input(require_image("vggface", input_shape, 32), name="images")
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
    model = keras.Model(inputs, _dense(x, sizes["dense"], "fc7"), name="vggface")
    with_weights(model, weights, "vggface")
    return with_outputs(model, outputs, dropout)


def _dense(x: Any, units: int, name: str) -> Any:
    dense = layers.Dense(units, activation="relu", kernel_initializer="he_uniform", name=name)
    return dense(x)
