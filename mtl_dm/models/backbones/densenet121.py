"""DenseNet-121 without its classifier (Huang et al. 2017)."""

from __future__ import annotations

import keras

from mtl_dm.models.backbones._contract import example
from mtl_dm.models.backbones._library import SHAPES, library_backbone
from mtl_dm.models.backbones._narrow import Size

_DEMO = Size(width=0.25, dropped=r"conv\d_block([3-9]|[12]\d)_.*|pool4_pool", momentum=0.9)


@example(
    (32, 32, 3),
    SHAPES,
    options={"variant": "demo"},
    source="library",
    sizes={"paper": (224, 224, 3), "demo": (48, 48, 3)},
)
def densenet121(
    input_shape: tuple[int, ...],
    variant: str = "paper",
    weights: str = "none",
    dropout: float = 0.0,
    outputs: tuple[str, ...] = (),
) -> keras.Model:
    """Return DenseNet-121, its last map averaged to 1024 features.

    Source: `keras.applications.DenseNet121` without its classifier, batch statistics over the
    global batch. 6,953,856 trainable parameters, 7,037,504 with statistics; 224 px, any size from
    32 px.
    Demo: a quarter of the channels (growth 8), two layers a block, the last transition without its
    pooling: a map of 3 x 3 of 48 px.

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
        "densenet121",
        keras.applications.DenseNet121,
        "torch",
        input_shape,
        variant,
        _DEMO,
        weights=weights,
        dropout=dropout,
        outputs=outputs,
    )
