"""EfficientNet-B2 for expressions (Savchenko 2021), after the code its author published."""

from __future__ import annotations

import keras

from mtl_dm.models.backbones._contract import example
from mtl_dm.models.backbones._library import SHAPES, efficientnet
from mtl_dm.models.backbones._narrow import Size

_DEMO = Size(
    width=0.25,
    fewest=12,
    dropped=r"block[12467][b-z]_.*|block[35][c-z]_.*|block[46]a_dwconv_pad",
    unstrided=r"block[46]a_dwconv",
    momentum=0.9,
    cells=3,
)


@example(
    (32, 32, 3),
    SHAPES,
    exact={"dropout": 0.0, "drop_connect": 0.0},
    options={"variant": "demo"},
    source="code",
    sizes={"paper": (260, 260, 3), "demo": (48, 48, 3)},
)
def effnet_b2(
    input_shape: tuple[int, ...],
    variant: str = "paper",
    weights: str = "none",
    dropout: float = 0.0,
    drop_connect: float | None = None,
    outputs: tuple[str, ...] = (),
) -> keras.Model:
    """Return EfficientNet-B2, its last map averaged to 1408 features.

    Source: code. EmotiEffLib and its notebooks for AffectNet: timm's `tf_efficientnet_b2_ns`,
    first trained on the identities of VGGFace2, at 260 px, input minus ImageNet's mean over its
    deviation, one linear classifier on 1408 features. 7,700,994 trainable parameters, 7,768,562
    with statistics (7,710,857 trainable with seven outputs).

    The source is silent, or we differ:
        - The network is Keras's EfficientNet-B2, of the same layers and sizes; timm pads strided
          convolutions as TensorFlow does, so that its weights would fit, but none are converted.
        - Weights of identities and of noisy students are not published for Keras: weights=imagenet
          are those of supervised ImageNet.
        - Dropout before the classifier: no rate is stated; 0 here. Blocks are dropped at Keras's
          rate, 0.2 for the last.
        - Table 2 is at 112 px, where the last map is 4 x 4.
        - Batch statistics are over the global batch.

    Own recipe: cross-entropy with class weights (1 / count, divided by the least) and label
    smoothing 0.1; Adam 3e-5 within sharpness-aware minimisation, rho 0.05; batch 32 to 64; the
    classifier alone first, then all.

    Demo: a quarter of the channels, at least twelve; one block a stage and two in the third and
    fifth, whose second ones have residuals; stages four and six without their strides, so that a
    map of 6 x 6 is left of 48 px, which is averaged over a grid of 3 x 3 cells: runs
    are short, and where a face moves says what moves.

    Args:
        input_shape: (height, width, 3), each side at least 32.
        variant: "paper" or "demo".
        weights: none, imagenet (variant paper) or the path of a file.
        dropout: Share of features dropped in training.
        drop_connect: Share of the last block's outputs dropped whole in training; earlier blocks
            in proportion to their depth. None: 0.2, of the demo 0.
        outputs: Names of layers whose outputs are given too: the backbone then gives a dictionary
            with "features" and an entry a name.

    Raises:
        ValueError: If an option or the input's shape is none that the network takes, or weights
            do not fit.
        FileNotFoundError: If there is no file of weights.
        OSError: If the weights of ImageNet cannot be fetched.
    """
    return efficientnet(
        "effnet_b2",
        keras.applications.EfficientNetB2,
        input_shape,
        variant,
        _DEMO,
        weights=weights,
        dropout=dropout,
        drop_connect=drop_connect,
        outputs=outputs,
    )
