"""ResNet-50 without its classifier (He et al. 2016)."""

from __future__ import annotations

import keras

from mtl_dm.models.backbones._contract import example
from mtl_dm.models.backbones._library import SHAPES, library_backbone
from mtl_dm.models.backbones._narrow import Size

_DEMO = Size(
    width=0.25,
    dropped=r"conv[235]_block[2-6]_.*|conv4_block[3-6]_.*",
    unstrided=r"conv5_block1_[01]_conv",
    momentum=0.9,
)


@example(
    (32, 32, 3),
    SHAPES,
    options={"variant": "demo"},
    source="library",
    sizes={"paper": (224, 224, 3), "demo": (48, 48, 3)},
)
def resnet50(
    input_shape: tuple[int, ...],
    variant: str = "paper",
    weights: str = "none",
    dropout: float = 0.0,
    outputs: tuple[str, ...] = (),
) -> keras.Model:
    """Return ResNet-50, its last map averaged to 2048 features.

    Source: `keras.applications.ResNet50` without its classifier, batch statistics over the global
    batch. Its convolutions have a bias: 23,534,592 trainable parameters, 23,587,712 with
    statistics; 224 px, any size from 32 px. Weights of ImageNet see BGR in 0 to 255 minus a mean.
    Ours: without weights, and in the demo, it sees [-1, 1] and starts as He et al. 2015 do.
    Demo: a quarter of the channels, one block a stage and two in the third, the last stage without
    its stride: a map of 3 x 3 of 48 px.

    Args:
        input_shape: (height, width, 3), each side at least 32.
        variant: "paper" or "demo".
        weights: none, imagenet (variant paper) or the path of a file. A .keras file says what its
            network took; others are taken for keras.applications' own, in BGR.
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
        "resnet50",
        keras.applications.ResNet50,
        "caffe",
        input_shape,
        variant,
        _DEMO,
        weights=weights,
        dropout=dropout,
        outputs=outputs,
    )
