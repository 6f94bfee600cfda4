"""EfficientNet-B2 without its classifier (Tan, Le 2019)."""

from __future__ import annotations

import keras

from mtl_dm.models.backbones._contract import example
from mtl_dm.models.backbones._library import SHAPES, efficientnet
from mtl_dm.models.backbones._narrow import Size

_DEMO = Size(
    width=0.25,
    dropped=r"block[124567][b-z]_.*|block3[c-z]_.*|block6a_dwconv_pad",
    unstrided=r"block6a_dwconv",
    momentum=0.9,
)


@example(
    (32, 32, 3),
    SHAPES,
    exact={"dropout": 0.0, "drop_connect": 0.0},
    options={"variant": "demo"},
    source="library",
    sizes={"paper": (260, 260, 3), "demo": (48, 48, 3)},
)
def efficientnet_b2(
    input_shape: tuple[int, ...],
    variant: str = "paper",
    weights: str = "none",
    dropout: float = 0.0,
    drop_connect: float = 0.2,
    outputs: tuple[str, ...] = (),
) -> keras.Model:
    """Return EfficientNet-B2, its last map averaged to 1408 features.

    Source: `keras.applications.EfficientNetB2` without its classifier, batch statistics over the
    global batch. 7,700,994 trainable parameters, 7,768,562 with statistics; 260 px, any size from
    32 px. Ours: the input's mean and deviation are those of ImageNet also without its weights, as
    constants (`ImageNetInput`); the library holds them as seven more numbers.
    Demo: a quarter of the channels, one block a stage and two in the third, whose second one has a
    residual; the sixth stage without its stride: a map of 3 x 3 of 48 px.

    Args:
        input_shape: (height, width, 3), each side at least 32.
        variant: "paper" or "demo".
        weights: none, imagenet (variant paper) or the path of a file.
        dropout: Share of features dropped in training.
        drop_connect: Share of the last block's outputs dropped whole in training; earlier blocks
            in proportion to their depth.
        outputs: Names of layers whose outputs are given too: the backbone then gives a dictionary
            with "features" and an entry a name.

    Raises:
        ValueError: If an option or the input's shape is none that the network takes, or weights
            do not fit.
        FileNotFoundError: If there is no file of weights.
        OSError: If the weights of ImageNet cannot be fetched.
    """
    return efficientnet(
        "efficientnet_b2",
        keras.applications.EfficientNetB2,
        input_shape,
        variant,
        _DEMO,
        weights=weights,
        dropout=dropout,
        drop_connect=drop_connect,
        outputs=outputs,
    )
