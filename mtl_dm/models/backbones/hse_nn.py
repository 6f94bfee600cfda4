"""HSE-NN, EfficientNet-B0 for several facial tasks (Savchenko 2022), after published code."""

from __future__ import annotations

import keras

from mtl_dm.models.backbones._contract import example
from mtl_dm.models.backbones._library import SHAPES, efficientnet
from mtl_dm.models.backbones._narrow import Size

_DEMO = Size(
    width=0.25,
    fewest=12,
    dropped=r"block[124567][b-z]_.*|block3[c-z]_.*|block[46]a_dwconv_pad",
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
    sizes={"paper": (224, 224, 3), "demo": (48, 48, 3)},
)
def hse_nn(
    input_shape: tuple[int, ...],
    variant: str = "paper",
    weights: str = "none",
    dropout: float = 0.0,
    drop_connect: float | None = None,
    outputs: tuple[str, ...] = (),
) -> keras.Model:
    """Return EfficientNet-B0, its last map averaged to 1280 features.

    Source: code. EmotiEffLib and hsemotion's notebooks (MT-EmotiEffNet): timm's
    `tf_efficientnet_b0_ns` at 224 px, input minus ImageNet's mean over its deviation, one linear
    layer of 8 + 2 outputs on 1280 features. 4,007,548 trainable parameters, 4,049,564 with
    statistics (4,020,358 trainable with ten outputs).

    The source is silent, or we differ:
        - The network is Keras's EfficientNet-B0, of the same layers and sizes; weights=imagenet are
          those of supervised ImageNet, not of noisy students.
        - One linear head a task here, which together are the source's one layer.
        - Dropout before the outputs: no rate is stated; 0 here. Blocks are dropped at Keras's rate,
          0.2 for the last.
        - The challenge's later track fits small networks on frozen features, one a task (two
          tanh, twelve sigmoid, eight softmax outputs); here all is trained together.
        - Training images were enhanced by a super-resolution network, which is no part of this.
        - Table 2 is at 112 px, where the last map is 4 x 4.
        - Batch statistics are over the global batch.

    Own recipe: cross-entropy with class weights plus 1 - CCC of valence and of arousal, equal
    weights; Adam 3e-5 within sharpness-aware minimisation; for the LSD eight epochs, batch 64,
    colour jitter 0.3. On frozen features: L2 of 1 / batch, Adam 1e-3, batch 256.

    Demo: a quarter of the channels, at least twelve; one block a stage and two in the third, whose
    second one has a residual; stages four and six without their strides, so that a map of 6 x 6 is
    left of 48 px, which is averaged over a grid of 3 x 3 cells: runs are short, and where a
    face moves says what moves.

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
        "hse_nn",
        keras.applications.EfficientNetB0,
        input_shape,
        variant,
        _DEMO,
        weights=weights,
        dropout=dropout,
        drop_connect=drop_connect,
        outputs=outputs,
    )
