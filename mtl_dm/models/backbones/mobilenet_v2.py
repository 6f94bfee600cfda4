"""MobileNet v2 without its classifier (Sandler et al. 2018)."""

from __future__ import annotations

import keras

from mtl_dm.models.backbones._contract import example
from mtl_dm.models.backbones._library import SHAPES, library_backbone
from mtl_dm.models.backbones._narrow import Size

_DEMO = Size(
    width=0.25,
    dropped=r"block_([25789]|1[1245])_.*|block_(6|13)_pad",
    unstrided=r"block_(6|13)_depthwise",
    momentum=0.9,
)


@example(
    (32, 32, 3),
    SHAPES,
    options={"variant": "demo"},
    source="library",
    sizes={"paper": (224, 224, 3), "demo": (48, 48, 3)},
)
def mobilenet_v2(
    input_shape: tuple[int, ...],
    variant: str = "paper",
    weights: str = "none",
    dropout: float = 0.0,
    outputs: tuple[str, ...] = (),
) -> keras.Model:
    """Return MobileNet v2, its last map averaged to 1280 features.

    Source: `keras.applications.MobileNetV2` without its classifier, batch statistics over the
    global batch. 2,223,872 trainable parameters, 2,257,984 with statistics; 224 px, any size from
    32 px.
    Demo: a quarter of the channels, of each stage the first block and of the third the second,
    the last two strides gone: a map of 6 x 6 of 48 px.

    Args:
        input_shape: (height, width, 3), each side at least 32.
        variant: "paper" or "demo".
        weights: none, imagenet (variant paper) or the path of a file.
        dropout: Share of features dropped in training.
        outputs: Names of layers whose outputs are given too: the backbone then gives a dictionary
            with "features" and an entry a name.

    Raises:
        ValueError: If an option or the input's shape is none that the network takes, or weights
            do not fit.
        FileNotFoundError: If there is no file of weights.
        OSError: If the weights of ImageNet cannot be fetched.
    """
    return library_backbone(
        "mobilenet_v2",
        keras.applications.MobileNetV2,
        "tf",
        input_shape,
        variant,
        _DEMO,
        weights=weights,
        dropout=dropout,
        outputs=outputs,
    )
